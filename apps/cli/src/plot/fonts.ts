import { createRequire } from 'node:module'
import type * as resvg from '@resvg/resvg-js'

/** Family name of the font that comes with the program, so that text looks the same on machines without fonts. */
export const FONT = 'DejaVu Sans'

/** Draws an SVG as PNG, `zoom` pixels per unit. */
export function svgToPng(svg: string, zoom = 1): Buffer {
  // Loaded here: a machine for which it has no binary can still run what draws no text.
  const load = createRequire(import.meta.url)
  const { Resvg } = load('@resvg/resvg-js') as typeof resvg
  const fontFiles = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((name) =>
    load.resolve(`dejavu-fonts-ttf/ttf/${name}`),
  )
  const font = { fontFiles, loadSystemFonts: false, defaultFontFamily: FONT }
  return new Resvg(svg, { font, fitTo: { mode: 'zoom', value: zoom } }).render().asPng()
}
