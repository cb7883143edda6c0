import type { Canvas } from './canvas.js'
import { creature } from './draw/creature.js'
import { fish } from './draw/fish.js'
import { house } from './draw/house.js'
import { mushroom } from './draw/mushroom.js'
import { plant } from './draw/plant.js'
import { potion } from './draw/potion.js'
import { robot } from './draw/robot.js'
import { rocket } from './draw/rocket.js'
import type { Draws } from './draws.js'

/** The eight classes of the generated sprites, in label order. */
export const SPRITE_CLASSES = ['creature', 'robot', 'rocket', 'fish', 'potion', 'plant', 'mushroom', 'house'] as const

/** Name of a class of the generated sprites. */
export type SpriteClass = (typeof SPRITE_CLASSES)[number]

/** Draws a class on a canvas from its choices, standing on `floor` with `x` in its middle. */
export const drawClass: Readonly<Record<SpriteClass, (c: Canvas, d: Draws, x: number, floor: number) => void>> = {
  creature,
  robot,
  rocket,
  fish,
  potion,
  plant,
  mushroom,
  house,
}
