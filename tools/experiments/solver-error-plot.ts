import { FONT } from '../../apps/cli/src/plot/fonts.js'
import { curve, type Frame, legend, panelSvg, points } from '../../packages/evaluate/src/plot/panel.js'
import { valueAxis } from '../../packages/evaluate/src/plot/scales.js'

export interface ErrorCurve {
  readonly sampler: string
  readonly spacing: string
  readonly points: readonly { readonly steps: number; readonly calls: number; readonly error: number }[]
}

/** What was measured on one trained model. */
export interface SolverErrors {
  readonly process: 'gaussian' | 'flow'
  readonly prediction: string
  readonly pictures: number
  readonly trainedSteps: number
  /** Distance between the solution and that of half its steps. */
  readonly lack: number
  readonly curves: readonly ErrorCurve[]
}

const COLORS: Readonly<Record<string, string>> = {
  euler: '#6b7280',
  heun: '#0b5394',
  midpoint: '#0891b2',
  rk4: '#15803d',
  'dpmpp-2s': '#84cc16',
  'dpmpp-2m': '#d97706',
  'dpmpp-3m': '#7c2d12',
  unipc: '#b91c1c',
  deis: '#7c3aed',
  lms: '#db2777',
  plms: '#1f2937',
}
const [WIDTH, HEIGHT, GAP, TOP] = [880, 330, 84, 40]
/** Errors above this many levels are drawn as this. */
const WORST = 127

/** Error against calls of the network, a panel for each model and spacing, as an SVG. */
export function solverErrorPlot(results: readonly SolverErrors[]): string {
  const parts = results.flatMap((result) => {
    const spacings = [...new Set(result.curves.map(({ spacing }) => spacing))]
    return spacings.map((spacing) => ({ result, spacing }))
  })
  const panels = parts.map(({ result, spacing }, i) => {
    const top = TOP + i * (HEIGHT + GAP)
    const frame: Frame = { left: 84, right: WIDTH - 190, top, bottom: top + HEIGHT }
    const curves = result.curves.filter((measured) => measured.spacing === spacing)
    // A method that fails is drawn at the top.
    const seen = curves.map(({ sampler, points: at }) => {
      return { sampler, calls: at.map(({ calls }) => calls), errors: at.map(({ error }) => Math.min(error, WORST)) }
    })
    const calls = seen.flatMap((each) => each.calls)
    const errors = seen.flatMap((each) => each.errors)
    const x = valueAxis(calls, 'log', [frame.left, frame.right])
    const y = valueAxis(errors, 'log', [frame.bottom, frame.top])
    const content = seen.map(
      (each) =>
        curve(x, y, each.calls, each.errors, COLORS[each.sampler]) +
        points(x, y, each.calls, each.errors, COLORS[each.sampler]),
    )
    const layout = spacing === 'usual' ? '' : `, spacing ${spacing}`
    const title = `${result.process === 'flow' ? 'Flow' : 'Gaussian diffusion'}, predicts ${result.prediction}${layout}`
    const xLabel = 'calls of the network (log scale)'
    const panel = panelSvg({ frame, x, y, xLabel, yLabel: 'error, levels of 255', content: content.join('') })
    const entries = curves.map(({ sampler }) => ({ kind: 'line', color: COLORS[sampler], text: sampler }) as const)
    const heading = `<text x="${frame.left}" y="${top - 14}" font-size="15" font-weight="bold">${title}</text>`
    return heading + panel + legend({ ...frame, right: WIDTH - 20 }, entries)
  })
  const height = TOP + parts.length * (HEIGHT + GAP)
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}"><rect width="100%" height="100%" fill="#fff"/><g font-family="${FONT}, sans-serif" font-size="12">${panels.join('')}</g></svg>\n`
}
