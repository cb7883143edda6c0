import type { TensorFile } from '@dit/checkpoint'

/**
 * What wrappers put before the names of the network: DistributedDataParallel, JiT's denoiser, modules of Lightning and others that hold a
 * network beside what else they need. Averages come first.
 */
const PREFIXES = [
  'ema_model.',
  'model_ema.',
  'ema.',
  'module.',
  'model.',
  'net.',
  'network.',
  'denoiser.',
  'diffusion_model.',
]

/** What wrappers put into names, wherever: torch.compile, FSDP, activation checkpointing. */
const MARKS = /(?:^|(?<=\.))(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\./g

/**
 * A file's tensors by their names without what wrappers put before and into them. Where only some begin with a wrapper's prefix, those of
 * the network are taken: what stands beside them is not part of it.
 */
export function withoutPrefix(file: TensorFile): TensorFile {
  return unwrapped(file).file
}

/** Most prefixes that are taken off, one after another: real files have one or two. */
const MOST_PREFIXES = 8

/** `withoutPrefix`, with the other prefixes under which there is a network. */
export function unwrapped(file: TensorFile): {
  readonly file: TensorFile
  readonly taken: string
  readonly others: readonly string[]
} {
  const marked = [...file.entries.keys()].some((name) => name.search(MARKS) >= 0)
  let plain = marked ? renamed(file, (name) => name.replaceAll(MARKS, '')) : file
  let taken = ''
  const others: string[] = []
  for (let level = 0; level < MOST_PREFIXES; level++) {
    const names = [...plain.entries.keys()]
    if (names.some((name) => ANY_NETWORK.includes(name))) break
    const [prefix, ...more] = PREFIXES.filter((each) => hasNetwork(names, each))
    if (prefix === undefined) break
    others.push(...more.map((each) => taken + each))
    plain = below(plain, prefix)
    taken += prefix
  }
  return { file: plain, taken, others }
}

/** Names by which a network is known, official or diffusers'. */
const ANY_NETWORK = ['x_embedder.proj.weight', 'pos_embed.proj.weight', 'x_embedder.proj1.weight']

/** Whether a network lies under a prefix, perhaps under further ones. */
function hasNetwork(names: readonly string[], prefix: string): boolean {
  return names.some((name) => name.startsWith(prefix) && ANY_NETWORK.some((known) => name.endsWith(`.${known}`)))
}

function below(file: TensorFile, prefix: string): TensorFile {
  const entries = new Map([...file.entries].filter(([name]) => name.startsWith(prefix)))
  return renamed({ ...file, entries }, (name) => name.slice(prefix.length))
}

/** A file under other names. */
function renamed(file: TensorFile, rename: (name: string) => string): TensorFile {
  const originals = new Map([...file.entries.keys()].map((name) => [rename(name), name]))
  if (originals.size < file.entries.size) return file
  const original = (name: string) => originals.get(name) ?? name
  return {
    ...file,
    entries: new Map([...originals].map(([name, from]) => [name, file.entries.get(from)!])),
    tensor: (name) => file.tensor(original(name)),
    float32: (name) => file.float32(original(name)),
  }
}
