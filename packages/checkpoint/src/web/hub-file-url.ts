/** A repository of a model hub at one of its revisions. */
export interface HubReference {
  readonly owner: string
  readonly name: string
  /** A branch, a tag or a commit. */
  readonly revision: string
}

export interface HubFileOptions {
  /** Where the hub is: an http(s) address, of a mirror for instance, that may have a path. */
  readonly host?: string
}

const EXAMPLE = 'such as hf:owner/name or hf:owner/name@revision'

/**
 * Reads a reference such as `hf:owner/name` or `hf:owner/name@revision`; the revision is `main` if none is named.
 *
 * @throws RangeError naming the part that is none
 */
export function parseHubReference(reference: string): HubReference {
  return parse('parseHubReference', reference)
}

/**
 * The address of a file in a repository of a model hub: `<host>/<owner>/<name>/resolve/<revision>/<file>`.
 *
 * @param reference  `hf:owner/name` or `hf:owner/name@revision`; a branch can change under its address, a commit cannot
 * @param file       its path in the repository, such as `vae/config.json`
 * @throws RangeError naming the part that is none
 *
 * @example
 * const weights = await fetchFile(hubFileUrl('hf:owner/name', 'transformer/model.safetensors'))
 */
export function hubFileUrl(
  reference: string,
  file: string,
  { host = 'https://huggingface.co' }: HubFileOptions = {},
): string {
  const { owner, name, revision } = parse('hubFileUrl', reference)
  return `${checkedHost(host)}/${owner}/${name}/resolve/${encodeURIComponent(revision)}/${encodedPath(file)}`
}

function parse(who: string, reference: string): HubReference {
  const [, owner, name, revision = 'main'] = /^hf:([^/@]*)\/([^/@]*)(?:@(.*))?$/s.exec(reference) ?? []
  const fail = (problem: string) => new RangeError(`${who}: ${problem} (got ${JSON.stringify(reference)}; ${EXAMPLE})`)
  if (owner === undefined || name === undefined) throw fail('a reference must be hf:owner/name[@revision]')
  const parts: [part: string, what: string][] = [
    [owner, 'owner'],
    [name, 'name'],
  ]
  for (const [part, what] of parts) {
    if (!/^\w[\w.-]{0,95}$/.test(part) || part.includes('..')) {
      throw fail(`${what} must be letters, digits and _ . - within, without ..`)
    }
  }
  // As Git has it, less the marks that nobody uses in a name.
  const isRef = /^[\w.+/-]{1,255}$/.test(revision) && !/\.\.|\/\/|^[/.-]|[/.]$/.test(revision)
  if (!isRef) throw fail('revision must be a branch, tag or commit: letters, digits and _ . + - / within, without ..')
  return { owner, name, revision }
}

function checkedHost(host: string): string {
  let problem = !/^https?:\/\/[^/?#\s]+[^?#\s]*$/.test(host)
  try {
    const { username, password } = new URL(host)
    problem ||= username !== '' || password !== ''
  } catch {
    problem = true
  }
  if (problem) {
    throw new RangeError(
      `hubFileUrl: host must be an http(s) address without user, query or fragment (got ${JSON.stringify(host)}; such as https://hub.example.org)`,
    )
  }
  return host.replace(/\/+$/, '')
}

function encodedPath(file: string): string {
  const parts = file.split('/')
  const isPath = !/[\\\p{Cc}\p{Cs}]/u.test(file) && parts.every((part) => !['', '.', '..'].includes(part))
  if (isPath) return parts.map(encodeURIComponent).join('/')
  throw new RangeError(
    `hubFileUrl: file must be a path within the repository, without . and .. (got ${JSON.stringify(file)}; such as vae/config.json)`,
  )
}
