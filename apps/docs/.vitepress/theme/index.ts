import { defineAsyncComponent, h } from 'vue'
import type { Theme } from 'vitepress'
import DefaultTheme from 'vitepress/theme-without-fonts'
import { HeroFigure } from '../../src/figures/hero-figure.js'
import { figures } from '../../src/figures/index.js'
import { SourceFile } from '../../src/site/source-file.js'
import './style.css'
import './figures.css'
import './train.css'
import './playground.css'

export default {
  extends: DefaultTheme,
  Layout: () => h(DefaultTheme.Layout, null, { 'home-hero-image': () => h(HeroFigure) }),
  enhanceApp({ app }) {
    for (const figure of figures) app.component(figure.name!, figure)
    app.component('SourceFile', SourceFile)
    // Pages that neither train nor draw do not load these.
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
