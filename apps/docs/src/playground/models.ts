import { garments, heroes, type PretrainedModel } from '@dit/pretrained'

/** A model that the playground can open. */
export interface SiteModel {
  readonly name: string
  /** What it draws, in a word or two. */
  readonly title: string
  /** Where its weights lie. */
  readonly address: string
  /** Size of its weights. */
  readonly bytes: number
  readonly sampling: PretrainedModel['sampling']
  /** The colour of an empty ground in its pictures. */
  readonly ground: readonly [red: number, green: number, blue: number]
}

const KNOWN = [
  { model: heroes, title: 'Heroes', ground: [71, 68, 92] },
  { model: garments, title: 'Garments', ground: [255, 255, 255] },
] as const

/**
 * The models that lie beside the pages, from the list that the build wrote.
 *
 * @param folder address of the folder `models`, with a slash at its end
 * @throws Error where the list cannot be had
 */
export async function listModels(folder: string, load: typeof fetch = fetch): Promise<SiteModel[]> {
  const address = `${folder}index.json`
  const response = await load(address)
  if (!response.ok) throw new Error(`${address} gave ${response.status}`)
  const { models } = (await response.json()) as {
    readonly models: readonly { readonly name: string; readonly file: string; readonly bytes: number }[]
  }
  return KNOWN.flatMap(({ model: { name, sampling }, title, ground }) => {
    const copy = models.find((candidate) => candidate.name === name)
    return copy === undefined
      ? []
      : [{ name, title, address: `${folder}${copy.file}`, bytes: copy.bytes, sampling, ground }]
  })
}

/** The cache in which `fetchFile` of @dit/checkpoint keeps files. */
const CACHE = 'dit-files'

/**
 * Deletes the weights of earlier versions of the site, which nothing would read again: the name of a file has the digest of what it holds.
 *
 * @param folder address of the folder `models`, with a slash at its end
 * @param models that the site has now
 */
export async function dropOldWeights(
  folder: string,
  models: readonly SiteModel[],
  storage: Pick<CacheStorage, 'has' | 'open'> | undefined = globalThis.caches,
): Promise<void> {
  if (storage === undefined || !(await storage.has(CACHE))) return
  const cache = await storage.open(CACHE)
  const isOld = ({ url }: Request) => url.startsWith(folder) && !models.some(({ address }) => address === url)
  const old = (await cache.keys()).filter(isOld)
  await Promise.all(old.map((request) => cache.delete(request)))
}
