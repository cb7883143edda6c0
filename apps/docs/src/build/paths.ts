import { fileURLToPath } from 'node:url'

const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url)).replace(/[/\\]$/, '')

/** The repository's root folder. */
export const repository = folder('../../../..')

/** `apps/docs`. */
export const app = folder('../..')

/** The pages that are written by hand. */
export const ownPages = `${app}/pages`

/** The models that are part of the repository. */
export const ownModels = `${repository}/packages/pretrained/models`

/** All pages of the site, where VitePress reads them: copied and generated anew by every build. */
export const allPages = `${app}/dist/pages`

/** The finished site. */
export const site = `${app}/dist/site`
