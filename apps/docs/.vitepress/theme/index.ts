import { defineAsyncComponent, h } from 'vue'
import type { Theme } from 'vitepress'
import DefaultTheme from 'vitepress/theme-without-fonts'
import { FIGURE_NAMES } from '../../src/figures/names.js'
import { SourceFile } from '../../src/site/source-file.js'
import './style.css'
import './figures.css'
import './train.css'
import './playground.css'

// What computes is loaded by the pages that have it.
const HeroFigure = defineAsyncComponent(async () => (await import('../../src/figures/hero-figure.js')).HeroFigure)

const figure = (name: string) =>
  defineAsyncComponent(async () => {
    const { figures } = await import('../../src/figures/index.js')
    return figures.find((candidate) => candidate.name === name)!
  })

export default {
  extends: DefaultTheme,
  Layout: () => h(DefaultTheme.Layout, null, { 'home-hero-image': () => h(HeroFigure) }),
  enhanceApp({ app }) {
    for (const name of FIGURE_NAMES) app.component(name, figure(name))
    app.component('SourceFile', SourceFile)
    app.component(
      'TrainHere',
      defineAsyncComponent(async () => (await import('../../src/train/train-here.js')).TrainHere),
    )
    app.component(
      'Playground',
      defineAsyncComponent(async () => (await import('../../src/playground/playground.js')).Playground),
    )
  },
} satisfies Theme
