/** What the page calls options of the pipeline. */
const WORDS: Readonly<Record<string, string>> = { sampler: 'solver', labels: 'class', total: 'number of pictures' }

/** What went wrong and what to do next, in a sentence or two for a visitor. */
export function problemText(error: unknown): string {
  const { name, message } = error instanceof Error ? error : new Error(String(error))
  const { status = null } = error as { readonly status?: number | null }
  switch (name) {
    case 'WebFileError':
      return status === 404
        ? `The weights of this model are not there: ${message}. Choose another model, or reload the page: there may be a newer one.`
        : `The weights did not load: ${message}. Check the connection, then draw again.`
    case 'OpenError':
      return `The model did not open: ${message}.`
    case 'OptionError':
      return `${inWords(error as Error & { readonly option?: string })}. Change it, and the page draws again.`
    case 'WebGpuUnavailableError':
      return `There is no WebGPU here: ${message}. Choose WebAssembly, which draws the same pictures more slowly.`
    case 'DeviceLostError':
    case 'WorkerLostError':
      return `What computed the pictures is gone: ${message}. Draw again to start it anew; if it happens again, choose WebAssembly.`
    default:
      return `${message}. Draw again, or reload the page.`
  }
}

/** An option by its name on the page. */
function inWords({ message, option = '' }: Error & { readonly option?: string }): string {
  const word = WORDS[option]
  return word === undefined || !message.startsWith(option) ? message : word + message.slice(option.length)
}
