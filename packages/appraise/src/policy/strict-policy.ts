// SPDX-License-Identifier: Apache-2.0

/**
 * The policy that is used unless another one is named: a machine is trusted when every layer was appraised and nothing is
 * left open. It is meant to be copied and changed.
 */
export const STRICT_POLICY = `// Trusted is a machine that booted a released image under Secure Boot, on a firmware that is known.
@id("strict")
permit (principal, action == Action::"trust", resource)
when { context.quote.isGood && context.clock.isConsistent }
when { context.log.isGood }
when { context.image.isKnown && context.image.isAboveFloor }
when { context.image.life == "active" || context.image.life == "retiring" }
when { context.image.uncovered.isEmpty() }
when { context.firmware.isKnown }
when { context.secureBoot.isOn && !context.secureBoot.hasMok }
when { context.secureBoot.isSbatCurrent && context.secureBoot.isDbxCurrent && !context.secureBoot.hasRevokedPrograms }
// What ran since is the image's own, where the kernel measures it.
when { !context.runtime.isMeasured || (context.runtime.isAppraised && context.runtime.isAggregateGood) }
when { context.runtime.unknownFiles == 0 && context.runtime.deniedFiles == 0 && context.runtime.unknownEntries == 0 }
when { context.runtime.violations == 0 && context.runtime.isVerityIntact }
when { !context.system.isMeasured || context.system.isPinned }
when { context.launch.state == "none" || context.launch.state == "unquoted" || context.launch.isKnown };

// Nothing outweighs a failure.
@id("no-failure")
forbid (principal, action, resource)
when { context.findings.errors > 0 || context.history.hasFailed };
`;
