import type { DefaultTheme } from 'vitepress'
import { publicEntries } from '../build/public-entries.js'
import { TOPICS } from './guides.js'

/** The pages that show how a diffusion transformer works, in reading order. */
export const HOW_IT_WORKS = [
  { text: 'From noise to pictures', link: '/how/' },
  { text: 'Patches', link: '/how/patches' },
  { text: 'Schedules and paths', link: '/how/schedules' },
  { text: 'adaLN-Zero', link: '/how/adaln' },
  { text: 'Attention', link: '/how/attention' },
  { text: 'Guidance', link: '/how/guidance' },
  { text: 'Solvers', link: '/how/solvers' },
  { text: 'Scaling', link: '/how/scaling' },
] as const satisfies readonly DefaultTheme.SidebarItem[]

const START = [
  { text: 'Which path is yours?', link: '/start/' },
  { text: 'I have pictures', link: '/start/hobbyist' },
  { text: 'I write web pages', link: '/start/web' },
  { text: 'I do research', link: '/start/researcher' },
  { text: 'Playground', link: '/playground' },
  { text: 'Train in this page', link: '/train' },
  { text: 'Comparison', link: '/comparison' },
  { text: 'Performance', link: '/performance' },
  { text: 'Errors', link: '/errors' },
]

/** The bar at the top. */
export const navigation: DefaultTheme.NavItem[] = [
  { text: 'Start', link: '/start/', activeMatch: '^/start/' },
  { text: 'Playground', link: '/playground' },
  { text: 'Train', link: '/train' },
  { text: 'How it works', link: '/how/', activeMatch: '^/how/' },
  { text: 'Guides', link: '/guides/cookbook', activeMatch: '^/guides/' },
  { text: 'Reference', link: '/reference/', activeMatch: '^/reference/' },
  {
    text: 'More',
    items: [
      { text: 'Performance', link: '/performance' },
      { text: 'Comparison', link: '/comparison' },
      { text: 'Errors', link: '/errors' },
    ],
  },
]

/** The bars at the side, by the beginning of an address. */
export function sidebars(): DefaultTheme.SidebarMulti {
  return {
    '/how/': [{ text: 'How it works', items: [...HOW_IT_WORKS] }],
    '/guides/': TOPICS.map(({ title, guides }) => ({
      text: title,
      items: guides.map(({ page, title }) => ({ text: title, link: `/guides/${page}` })),
    })),
    '/reference/': [
      { text: 'All packages', link: '/reference/' },
      { text: 'dit (command line)', link: '/reference/cli/' },
      ...packageItems(),
    ],
    '/': [{ text: 'Start', items: START }],
  }
}

function packageItems(): DefaultTheme.SidebarItem[] {
  const entries = publicEntries()
  const names = [...new Set(entries.map(({ page }) => page.split('/')[0]))]
  return names.map((name) => ({
    text: name,
    link: `/reference/${name}/`,
    collapsed: true,
    items: entries
      .filter(({ page }) => page.startsWith(`${name}/`))
      .map(({ page, specifier }) => ({ text: specifier, link: `/reference/${page}` })),
  }))
}
