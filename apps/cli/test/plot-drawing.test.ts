import { expect, test } from 'vitest'
import { runPlot } from '../src/plot/run-plot.js'

const record = (step: number, loss: number) => ({
  step,
  loss,
  gradNorm: 1,
  learningRate: 1e-3,
  emaDecay: 0.9,
  examples: step,
})

test('the drawing names its axes, escapes the title and has no position that is not a number', () => {
  for (const losses of [[0.5], [1, 0.9, 0.8], Array.from({ length: 4000 }, (_, i) => 1 / (i + 1))]) {
    const svg = runPlot(
      losses.map((loss, i) => record(i + 1, loss)),
      { title: 'a <b> & c', subtitle: '' },
    )
    expect(svg).toContain('a &lt;b&gt; &amp; c')
    expect(svg).toContain('optimizer steps')
    expect(svg).toContain('learning rate')
    expect(svg).toContain(losses.length > 3 ? 'loss (log scale)' : '>loss<')
    expect(svg).not.toMatch(/NaN|Infinity|undefined/)
  }
})
