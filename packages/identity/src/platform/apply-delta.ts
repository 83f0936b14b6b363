// SPDX-License-Identifier: Apache-2.0
import type { Component } from './component.ts';

/** What could not be applied: the delta speaks of a part that is not, or already is, there. */
export interface DeltaConflict {
  readonly component: Component;
  readonly reason: 'already_there' | 'not_there' | 'no_status';
}

/** Parts after a change, and what of the change did not fit. */
export interface DeltaResult {
  readonly components: readonly Component[];
  readonly conflicts: readonly DeltaConflict[];
}

/**
 * The parts of a machine after a delta certificate: added, modified and removed ones. TCG Platform Certificate Profile
 * 1.1, 3.1.6 (status) and 4 (delta). A part is known by class, manufacturer, model and serial number; of a modified
 * one the serial number, or else the revision, may be what changed.
 */
export function applyDelta(base: readonly Component[], delta: readonly Component[]): DeltaResult {
  const components = [...base];
  const conflicts: DeltaConflict[] = [];
  for (const component of delta) {
    const { status } = component;
    const exact = components.findIndex(
      (other) => kindOf(other) === kindOf(component) && other.serial === component.serial,
    );
    if (status === undefined) conflicts.push({ component, reason: 'no_status' });
    else if (status === 'added' && exact >= 0) conflicts.push({ component, reason: 'already_there' });
    else if (status === 'added') components.push(present(component));
    else {
      const at =
        exact >= 0 || status === 'removed'
          ? exact
          : components.findIndex((other) => kindOf(other) === kindOf(component));
      if (at < 0) conflicts.push({ component, reason: 'not_there' });
      else if (status === 'removed') components.splice(at, 1);
      else components[at] = present(component);
    }
  }
  return { components, conflicts };
}

/** Class, manufacturer and model as one text; JSON keeps a separator in a name from making two names one. */
function kindOf({ componentClass, manufacturer, model }: Component): string {
  return JSON.stringify([componentClass?.registry, componentClass?.value, manufacturer, model]);
}

function present(component: Component): Component {
  return { ...component, status: undefined };
}
