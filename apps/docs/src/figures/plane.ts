import { type Component, densityAt } from './mixture.js'
import { themeColor } from './page.js'

/** The part of the plane that is shown: from -EXTENT to EXTENT both ways. */
const EXTENT = 3

/** How finely densities are drawn, in squares a side. */
const GRID = 96

/** A picture of points that move. */
export interface Plane {
  /** Side in pixels of the page. */
  readonly side: number
  readonly mixture: readonly Component[]
  /** The noise level at which the density is drawn (default: that of the data). */
  readonly level?: { readonly alpha: number; readonly sigma: number }
  /** The ways of points, `[x, y, x, y, ...]` each. */
  readonly ways?: readonly { readonly at: ArrayLike<number>; readonly color: number }[]
  readonly points?: readonly { readonly at: ArrayLike<number>; readonly color: number; readonly isHollow?: boolean }[]
}

/** Draws densities, ways and points on a canvas, in the colours of the theme. */
export function drawPlane(canvas: HTMLCanvasElement, { side, mixture, level, ways = [], points = [] }: Plane): void {
  const ratio = devicePixelRatio
  canvas.width = canvas.height = Math.round(side * ratio)
  const context = canvas.getContext('2d')!
  context.scale(ratio, ratio)
  drawDensity(context, side, mixture, level ?? { alpha: 1, sigma: 0 })
  const place = (value: number) => ((value + EXTENT) / (2 * EXTENT)) * side
  for (const { at, color } of ways) {
    context.beginPath()
    for (let i = 0; i < at.length; i += 2) context.lineTo(place(at[i]), side - place(at[i + 1]))
    context.strokeStyle = themeColor(`--dit-series-${color}`)
    context.globalAlpha = 0.75
    context.lineWidth = 1.4
    context.stroke()
    if (at.length > 40) continue
    for (let i = 0; i < at.length; i += 2) {
      context.beginPath()
      context.arc(place(at[i]), side - place(at[i + 1]), 1.8, 0, 2 * Math.PI)
      context.fillStyle = context.strokeStyle
      context.fill()
    }
  }
  context.globalAlpha = 1
  for (const { at, color, isHollow = false } of points) {
    for (let i = 0; i < at.length; i += 2) {
      context.beginPath()
      context.arc(place(at[i]), side - place(at[i + 1]), isHollow ? 4 : 3, 0, 2 * Math.PI)
      const tint = themeColor(`--dit-series-${color}`)
      context.fillStyle = context.strokeStyle = tint
      context.lineWidth = 1.5
      if (isHollow) context.stroke()
      else context.fill()
    }
  }
}

function drawDensity(
  context: CanvasRenderingContext2D,
  side: number,
  mixture: readonly Component[],
  level: { readonly alpha: number; readonly sigma: number },
): void {
  const values = Float64Array.from({ length: GRID * GRID }, (_, i) => {
    const x = (((i % GRID) + 0.5) / GRID) * 2 * EXTENT - EXTENT
    const y = EXTENT - ((Math.floor(i / GRID) + 0.5) / GRID) * 2 * EXTENT
    return densityAt(mixture, x, y, level)
  })
  const most = values.reduce((a, b) => Math.max(a, b), 0)
  const small = new OffscreenCanvas(GRID, GRID)
  const paint = small.getContext('2d')!
  const image = paint.createImageData(GRID, GRID)
  const [red, green, blue] = rgbOf(themeColor('--dit-density'))
  values.forEach((value, i) => image.data.set([red, green, blue, 150 * (value / most) ** 0.6], 4 * i))
  paint.putImageData(image, 0, 0)
  context.imageSmoothingQuality = 'high'
  context.drawImage(small, 0, 0, side, side)
}

/** `#rrggbb` as three numbers. */
function rgbOf(color: string): readonly number[] {
  return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16))
}
