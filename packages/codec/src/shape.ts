// SPDX-License-Identifier: Apache-2.0

/** Makes the objects of one structure, and takes them apart, by the position of each field. */
export interface Shape {
  /** An object whose properties are the names, in order, with these values. */
  make(values: readonly unknown[]): Record<string, unknown>;
  /** The values of the properties, in the order of the names. */
  take(object: Readonly<Record<string, unknown>>): unknown[];
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Refuses, where a structure is declared, the names that would not be a field like any other: an integer moves to the
 * front of the object, `__proto__` sets its prototype, and what every object inherits (`constructor`) is there even
 * where the value leaves it out.
 */
export function requireFieldName(name: string): void {
  if (!IDENTIFIER.test(name) || name in Object.prototype) throw new Error(`'${name}' cannot be the name of a field`);
}

/** Works everywhere; V8 looks each name up for each object. */
export function plainShape(names: readonly string[]): Shape {
  return {
    make: (values) => {
      const object: Record<string, unknown> = {};
      for (let i = 0; i < names.length; i++) object[names[i] as string] = values[i];
      return object;
    },
    take: (object) => names.map((name) => object[name]),
  };
}

/**
 * The same with one object literal for these names, which engines compile to a few stores: a structure of integers is
 * read three times as fast. The code contains the names of the declaration, each an identifier, and nothing else; never
 * a byte of input.
 * Where code generation is switched off (a page's Content-Security-Policy, Node's
 * --disallow-code-generation-from-strings) the plain way serves.
 */
export function shapeOf(names: readonly string[]): Shape {
  names.forEach(requireFieldName);
  const key = names.join(' ');
  let shape = shapes.get(key);
  if (shape === undefined) {
    shape = makeShape(names);
    if (shapes.size < MAX_SHAPES) shapes.set(key, shape);
  }
  return shape;
}

/**
 * Structures are also declared while a program runs, as those of a log are by its header: each would compile its code
 * anew, and engines would take the same objects for others. Names come from declarations, so that these are few.
 */
const shapes = new Map<string, Shape>();
const MAX_SHAPES = 1000;

function makeShape(names: readonly string[]): Shape {
  const plain = plainShape(names);
  try {
    const make = new Function('v', `return { ${names.map((name, i) => `${name}: v[${i}]`).join(', ')} };`);
    const take = new Function('o', `return [${names.map((name) => `o.${name}`).join(', ')}];`);
    return { make: make as Shape['make'], take: take as Shape['take'] };
  } catch {
    return plain;
  }
}
