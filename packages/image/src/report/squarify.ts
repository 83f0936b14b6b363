// SPDX-License-Identifier: Apache-2.0

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Divides a rectangle among values, in their order, so that the parts are as near to squares as can be. Bruls, Huizing and
 * van Wijk, "Squarified Treemaps", 2000.
 * @param values positive, largest first.
 * @returns a rectangle for each.
 */
export function squarify(values: readonly number[], area: Rectangle): Rectangle[] {
  const total = values.reduce((sum, value) => sum + value, 0);
  if (total <= 0) return values.map(() => ({ ...area, width: 0, height: 0 }));
  const scale = (area.width * area.height) / total;
  const rectangles: Rectangle[] = [];
  let free = area;
  let row: number[] = [];
  for (const value of values) {
    const next = value * scale;
    const side = Math.min(free.width, free.height);
    if (row.length > 0 && worst([...row, next], side) > worst(row, side)) {
      free = layRow(row, free, rectangles);
      row = [];
    }
    row.push(next);
  }
  if (row.length > 0) layRow(row, free, rectangles);
  return rectangles;
}

/** The longest ratio of sides in a row of these areas along a side. */
function worst(row: readonly number[], side: number): number {
  const sum = row.reduce((total, area) => total + area, 0);
  const [largest, smallest] = [row[0] as number, row.at(-1) as number];
  return Math.max((side * side * largest) / (sum * sum), (sum * sum) / (side * side * smallest));
}

/** Puts a row along the shorter side. @returns what is left. */
function layRow(row: readonly number[], free: Rectangle, into: Rectangle[]): Rectangle {
  const sum = row.reduce((total, area) => total + area, 0);
  const isUpright = free.width >= free.height;
  const depth = Math.min(isUpright ? free.width : free.height, sum / (isUpright ? free.height : free.width));
  let at = isUpright ? free.y : free.x;
  for (const area of row) {
    const length = depth === 0 ? 0 : area / depth;
    into.push(
      isUpright
        ? { x: free.x, y: at, width: depth, height: length }
        : { x: at, y: free.y, width: length, height: depth },
    );
    at += length;
  }
  return isUpright
    ? { ...free, x: free.x + depth, width: free.width - depth }
    : { ...free, y: free.y + depth, height: free.height - depth };
}
