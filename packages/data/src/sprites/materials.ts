/** The materials of every sprite, in the order of its ramps. What they stand for is each class's own. */
export const MATERIALS = { ground: 0, body: 1, second: 2, accent: 3, pale: 4, ink: 5 } as const
export const NUM_MATERIALS = 6
