/** Options of the pipeline by the attributes that set them. */
const ATTRIBUTE_OF: Readonly<Record<string, string>> = { classes: 'class', sampler: 'solver' }

/** What went wrong and the next best thing, in a sentence or two for the reader of a page. */
export function problemText(error: unknown): string {
  const { name, message } = error instanceof Error ? error : new Error(String(error))
  switch (name) {
    case 'OptionError':
      return asAttribute(error as Error & { readonly option?: string; readonly problem?: string })
    case 'WebFileError':
    case 'TypeError':
      return `The model did not load: ${message}. Check the address and the connection, then draw again.`
    case 'OpenError':
      return `The model did not open: ${message}.`
    case 'WebGpuUnavailableError':
      return `${message}. With engine="auto" the element draws without WebGPU.`
    case 'DeviceLostError':
    case 'WorkerLostError':
      return `What computed the picture is gone: ${message}. Draw again to start it anew.`
    default:
      return `${message}.`
  }
}

/** An option under the name that the author of the page gave it. */
function asAttribute({ message, option = '' }: Error & { readonly option?: string }): string {
  const attribute = ATTRIBUTE_OF[option]
  return attribute === undefined || !message.startsWith(option) ? message : attribute + message.slice(option.length)
}
