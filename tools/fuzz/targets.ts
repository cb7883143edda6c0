import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as checkpoint from '@dit/checkpoint'
import * as data from '@dit/data'
import * as onnx from '@dit/onnx'
import { zipSync } from 'fflate'
import { paxEntry, writeTar } from '../../test/support/write-tar.js'

/** A reader under test. */
export interface Target {
  /** What it begins from. */
  readonly seeds: () => readonly Uint8Array[]
  /** Pieces of the format that chance would not find. */
  readonly words: readonly string[]
  /** Reads all of an input. Anything that it throws but the reader's own error is a finding. */
  readonly run: (bytes: Uint8Array) => Promise<void>
  readonly errors: readonly (new (...args: never[]) => Error)[]
}

const root = join(import.meta.dirname, '../..')
const FOLDERS = [
  'packages/checkpoint/test/fixtures',
  'packages/checkpoint/test/fixtures/torch',
  'packages/model/test/fixtures/layouts',
  'packages/model/test/fixtures/layouts/bin',
  'packages/model/test/fixtures/layouts/sharded',
  'tools/parity/fixtures/checkpoints',
  'tools/parity/fixtures/embeddings',
]

/** Small files of the tests whose names end so. */
function filesEnding(...endings: readonly string[]): Uint8Array[] {
  return FOLDERS.map((folder) => join(root, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .map((path) => Uint8Array.from(readFileSync(path)))
    .filter(({ length }) => length <= 2 ** 15)
}

const PICKLE_WORDS = [
  'torch._utils\n_rebuild_tensor_v2',
  'torch._utils\n_rebuild_parameter',
  'torch._tensor\n_rebuild_from_type_v2',
  'torch\nSize',
  'torch\nFloatStorage',
  'torch.storage\nUntypedStorage',
  'collections\nOrderedDict',
  'argparse\nNamespace',
  'builtins\nset',
  '_codecs\nencode',
  'numpy\ndtype',
  'numpy.core.multiarray\nscalar',
  'os\nsystem',
].map((name) => `c${name}\n`)

async function readTensors(file: checkpoint.TensorFile): Promise<void> {
  for (const name of file.entries.keys()) await file.tensor(name)
}

async function readTorchWhole(bytes: Uint8Array): Promise<void> {
  const file = await checkpoint.readTorch(bytes)
  let left = 10_000 // values that are looked at: one may hold another many times
  const look = async (value: checkpoint.TorchValue): Promise<void> => {
    if (--left < 0) return
    if (value instanceof checkpoint.TorchTensor) return void (await file.tensor(value))
    if (value instanceof Map || value instanceof Set || Array.isArray(value)) {
      for (const item of value.values()) await look(item as checkpoint.TorchValue)
    }
  }
  await look(file.value)
}

/** Seeds of npz: arrays of every dtype that it has, stored and packed. */
function npzSeeds(): Uint8Array[] {
  const arrays = {
    a: { dtype: 'F32', shape: [2, 3], data: new Float32Array(6) },
    b: { dtype: 'I64', shape: [], data: new BigInt64Array(1) },
    c: { dtype: 'BOOL', shape: [4], data: new Uint8Array(4) },
    d: { dtype: 'F64', shape: [64], data: new Float64Array(64) },
  } as const
  return [false, true].map((compress) => checkpoint.writeNpz(arrays, { compress }))
}

/** The pickle of a zip as torch writes it. */
async function pickleOf(bytes: Uint8Array): Promise<Uint8Array[]> {
  const { unzipSync } = await import('fflate')
  try {
    const files = unzipSync(bytes)
    return Object.entries(files).flatMap(([name, content]) => (name.endsWith('/data.pkl') ? [content] : []))
  } catch {
    return []
  }
}

const zips = filesEnding('.pt', '.bin')
const pickles = (await Promise.all(zips.map(pickleOf))).flat()

/** Most storages that an input is given, one after the other, and the bytes of each. */
const [MAX_STORAGES, MAX_STORAGE_BYTES] = [64, 2 ** 12]

/** Reads a pickle in a zip whose checksums are right, with the storages that it turns out to want. */
async function readPickle(pickle: Uint8Array): Promise<void> {
  const files: Record<string, Uint8Array> = { 'a/data.pkl': pickle }
  for (let i = 0; ; i++) {
    try {
      return await readTorchWhole(zipSync(files, { level: 0, mtime: '1980-01-02' }))
    } catch (error) {
      const wanted = /storage "([\w]{1,20})" must (?:be in the archive|have (\d+) bytes)/.exec((error as Error).message)
      const size = Number(wanted?.[2] ?? 0)
      if (wanted === null || i > 2 * MAX_STORAGES || size > MAX_STORAGE_BYTES) throw error
      files[`a/data/${wanted[1]}`] = new Uint8Array(size)
    }
  }
}

/** A small ONNX file with metadata. */
async function onnxSeed(): Promise<Uint8Array> {
  const nodes = [
    { op: 'Neg', inputs: ['x'], outputs: ['y'], attributes: { axis: 1, mode: 'm', scale: { float: 0.5 } } },
  ]
  const graph = { name: 'g', inputs: [], outputs: [], constants: [], nodes }
  const metadata = { 'dit.config': '{}', key: 'é' }
  const pieces: Uint8Array[] = []
  const read = () => Promise.reject(new Error('there are no parameters'))
  for await (const piece of onnx.onnxBytes(graph, read, { metadata })) pieces.push(piece)
  return Uint8Array.from(Buffer.concat(pieces))
}

const onnxSeeds = [await onnxSeed()]

/** Archives with each kind of header that there is. */
function tarSeeds(): Uint8Array[] {
  const file = { name: 'a.txt', content: 'one' }
  const map = new Uint8Array(1024)
  map[504] = 1 // the map of the sparse file goes on in a second block
  return [
    [file, { name: 'd/', type: '5' }, { ...file, name: 'b/c.cls', content: '1' }, { name: 'l', type: '2' }],
    [{ name: 'long', type: 'L', content: 'a/long/name.jpg\0' }, file, { ...file, prefix: 'p', type: '7' }],
    [paxEntry({ path: 'b.png', size: '3', mtime: '1' }), file, paxEntry({ comment: 'of all' }, 'g'), file],
    [paxEntry({ 'GNU.sparse.name': 's' }), file, { name: 'old', type: 'S', size: 0, content: map, bytes: { 482: 1 } }],
    [{ ...file, size: Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3) }],
  ].map((entries) => writeTar(entries))
}

/** Reads an archive and all of its files. */
async function readTar(bytes: Uint8Array): Promise<void> {
  const source = { size: bytes.length, read: async (start: number, end: number) => bytes.slice(start, end) }
  for await (const { kind, start, end, read } of data.tarMembers(source)) {
    if (start < 0 || end < start || end > bytes.length) throw new Error(`a member at ${start} to ${end}`)
    if (kind === 'file' && (await read()).length !== end - start) throw new Error('a member of another length')
  }
}

/** The same with the checksum of every block that may be a header put right: most changes of whole files end at that. */
async function readSummedTar(input: Uint8Array): Promise<void> {
  const bytes = input.slice()
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    const block = bytes.subarray(at, at + 512)
    if (!block.subarray(257, 262).every((byte, i) => byte === 'ustar'.charCodeAt(i))) continue
    block.fill(0x20, 148, 156)
    const sum = block.reduce((total, byte) => total + byte, 0)
    block.set(Buffer.from(`${sum.toString(8).padStart(6, '0')}\0 `), 148)
  }
  await readTar(bytes)
}

const TAR_WORDS = [
  'ustar\0',
  'ustar ',
  'path=',
  'size=',
  'GNU.sparse.',
  '\x80\0\0\0',
  '\xff\xff\xff',
  '30 path=',
  '9 size=',
]

const jsonWords = [
  '"dtype":"F32"',
  '"shape":[',
  '"data_offsets":[0,4]',
  '"__metadata__":{',
  '\\ud800',
  '{"a":',
  'F8_E4M3',
  '9007199254740993',
]

export const TARGETS: Readonly<Record<string, Target>> = {
  safetensors: {
    seeds: () => filesEnding('.safetensors'),
    words: jsonWords,
    run: async (bytes) => readTensors(checkpoint.readSafetensors(bytes)),
    errors: [checkpoint.SafetensorsError],
  },
  /** The header alone, with a length that is right: most changes of whole files end at that. */
  'safetensors-header': {
    seeds: () =>
      filesEnding('.safetensors').map((bytes) => bytes.slice(8, 8 + new DataView(bytes.buffer).getUint32(0, true))),
    words: jsonWords,
    run: async (header) => {
      const bytes = new Uint8Array(8 + header.length + 64)
      new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true)
      bytes.set(header, 8)
      await readTensors(checkpoint.readSafetensors(bytes))
    },
    errors: [checkpoint.SafetensorsError],
  },
  npy: {
    seeds: () => [
      checkpoint.writeNpy({ dtype: 'F32', shape: [2, 3], data: new Float32Array(6) }),
      checkpoint.writeNpy({ dtype: 'BOOL', shape: [], data: new Uint8Array(1) }),
    ],
    words: ["'descr': '<f4'", "'fortran_order': False", "'shape': (3,)", '(9007199254740993, 0)', "'|b1'"],
    run: async (bytes) => void checkpoint.readNpy(bytes),
    errors: [checkpoint.NpyError],
  },
  npz: {
    seeds: npzSeeds,
    words: ['PK\x01\x02', 'PK\x03\x04', 'PK\x05\x06', 'PK\x06\x06', 'PK\x06\x07', '.npy'],
    run: async (bytes) => void (await checkpoint.readNpz(bytes)),
    errors: [checkpoint.NpyError],
  },
  /** Whole files, zip and the format before it. */
  torch: {
    seeds: () => zips,
    words: [
      ...PICKLE_WORDS,
      'PK\x01\x02',
      'PK\x03\x04',
      'PK\x05\x06',
      'PK\x06\x06',
      'PK\x06\x07',
      'data.pkl',
      'byteorder',
    ],
    run: readTorchWhole,
    errors: [checkpoint.TorchError],
  },
  /** The pickle alone. */
  'torch-pickle': {
    seeds: () => pickles,
    words: PICKLE_WORDS,
    run: readPickle,
    errors: [checkpoint.TorchError],
  },
  shards: {
    seeds: () => filesEnding('.index.json'),
    words: ['"weight_map":{', '"metadata":', '../', '/', '__proto__', 'C:', '\\u0000', '.bin'],
    run: async (bytes) => {
      const source = { size: bytes.length, read: async (start: number, end: number) => bytes.slice(start, end) }
      await checkpoint.openShards(source, async (name) => {
        if (!/^[\w.-]+$/.test(name) || name.startsWith('.')) throw new Error(`shard ${name} leads elsewhere`)
        return checkpoint.readSafetensors(checkpoint.writeSafetensors({}))
      })
    },
    errors: [checkpoint.ShardsError],
  },
  tar: {
    seeds: tarSeeds,
    words: TAR_WORDS,
    run: readTar,
    errors: [data.TarError],
  },
  'tar-summed': {
    seeds: tarSeeds,
    words: TAR_WORDS,
    run: readSummedTar,
    errors: [data.TarError],
  },
  onnx: {
    seeds: () => onnxSeeds,
    words: ['\x72\x06\x0a\x01a\x12\x01b', '\x3a\x00', '\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01', '\x0a\x09__proto__'],
    run: async (bytes) => void onnx.onnxMetadata(bytes),
    errors: [onnx.OnnxError],
  },
}
