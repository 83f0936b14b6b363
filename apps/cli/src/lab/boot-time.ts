// SPDX-License-Identifier: Apache-2.0
import type { Accelerator, BootResult } from '@vouchsafe/lab/boot';
import type { Manifest } from '@vouchsafe/manifest';

/** How long a boot took, beside what its image's manifest allows. */
export interface BootTime {
  /** From power-on to the end of boot; absent when that was not seen. */
  readonly upAfterMs?: number;
  /** Absent when the manifest has no budget for it. */
  readonly budgetMs?: number;
  /** Of the machine that it was booted on: emulation takes several times as long as a processor of its own. */
  readonly accelerator: Accelerator;
  /** A time that was not seen is not within a budget. */
  readonly isWithin: boolean;
}

export function bootTime(
  { upAfterMs }: Pick<BootResult, 'upAfterMs'>,
  accelerator: Accelerator,
  manifest: Pick<Manifest, 'budgets'> | undefined,
): BootTime {
  const budgetMs = manifest?.budgets.bootMs;
  return {
    ...(upAfterMs === undefined ? {} : { upAfterMs }),
    ...(budgetMs === undefined ? {} : { budgetMs }),
    accelerator,
    isWithin: budgetMs === undefined || (upAfterMs !== undefined && upAfterMs <= budgetMs),
  };
}

/** Undefined when there is nothing to say. */
export function bootTimeText({ upAfterMs, budgetMs, accelerator, isWithin }: BootTime): string | undefined {
  const how = accelerator === 'tcg' ? 'emulated' : 'under KVM';
  if (upAfterMs === undefined) {
    return budgetMs === undefined
      ? undefined
      : `when its system was up was not seen, so that the manifest's budget of ${seconds(budgetMs)} for the boot was NOT KEPT`;
  }
  const took = `its system was up ${seconds(upAfterMs)} after power-on (${how})`;
  if (budgetMs === undefined) return took;
  if (isWithin) return `${took}; the manifest allows ${seconds(budgetMs)}`;
  const next = accelerator === 'tcg' ? 'boot it where KVM works, or raise' : 'make it boot sooner, or raise';
  return `${took}: OVER THE BUDGET, as the manifest allows ${seconds(budgetMs)}; ${next} budgets.boot in the recipe`;
}

/** Rounded up, so that what is over a budget never looks as if it were not. */
const seconds = (ms: number): string => `${Math.ceil(ms / 100) / 10} s`;
