/** An address in the sources of a package that holds only where the package is built, and what to put in its place here. */
interface Address {
  /** End of the file's path. */
  readonly file: string
  readonly from: string
  readonly to: string
}

const modelAddress = (name: string): Address => ({
  file: `/packages/pretrained/src/${name}.ts`,
  from: `new URL('../models/${name}.safetensors'`,
  // The build copies models itself (src/build/write-models.ts), and a model that is not there yet must not end it.
  to: `new URL(/* @vite-ignore */ '../models/${name}.safetensors'`,
})

const ADDRESSES: readonly Address[] = [
  {
    file: '/packages/browser/src/open-worker-pipeline.ts',
    from: `new URL('./pipeline-worker/pipeline-worker.js'`,
    to: `new URL('./worker/pipeline-worker.ts'`,
  },
  modelAddress('heroes'),
  modelAddress('garments'),
]

/**
 * The source of a module with the addresses that hold among sources; null where there are none in it.
 *
 * @param id the path of the module, with the query that a bundler may have added
 * @throws Error where an address is no longer there
 */
export function addressesOfSources(code: string, id: string): string | null {
  const path = id.split('?')[0].replaceAll('\\', '/')
  const found = ADDRESSES.filter(({ file }) => path.endsWith(file))
  if (found.length === 0) return null
  return found.reduce((text, { from, to }) => {
    if (!text.includes(from)) throw new Error(`addressesOfSources: ${path} no longer has ${from}`)
    return text.replaceAll(from, to)
  }, code)
}

/** The same as a plugin of Vite, which must come before those that follow such addresses. */
export const sourceAddresses = {
  name: 'dit:source-addresses',
  enforce: 'pre' as const,
  transform: addressesOfSources,
}
