import { createRequire } from 'node:module'
import { escapeXml } from '@dit/evaluate/plot'
import type * as resvg from '@resvg/resvg-js'

/** Family name of the font that comes with the program, so that text looks the same on machines without fonts. */
export const FONT = 'DejaVu Sans'

/** Draws an SVG as PNG, `zoom` pixels per unit. */
export function svgToPng(svg: string, zoom = 1): Buffer {
  return drawing(svg, zoom).render().asPng()
}

/** Width of the widest of some lines in the font of the program, in units. */
export function textWidth(lines: readonly string[], fontSize: number): number {
  const texts = lines.map((line) => `<text>${escapeXml(line)}</text>`).join('')
  const svg = `<svg xmlns="http://www.w3.org/2000/svg"><g font-family="${FONT}" font-size="${fontSize}">${texts}</g></svg>`
  return drawing(svg, 1).getBBox()?.width ?? 0
}

function drawing(svg: string, zoom: number): resvg.Resvg {
  // Loaded here: a machine for which it has no binary can still run what draws no text.
  const load = createRequire(import.meta.url)
  const { Resvg } = load('@resvg/resvg-js') as typeof resvg
  const fontFiles = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((name) =>
    load.resolve(`dejavu-fonts-ttf/ttf/${name}`),
  )
  const font = { fontFiles, loadSystemFonts: false, defaultFontFamily: FONT }
  return new Resvg(svg, { font, fitTo: { mode: 'zoom', value: zoom } })
}
