import type * as Koffi from 'koffi'

/** The functions of an MPI library that are used here. Handles are addresses or numbers, as the library has it. */
export interface MpiLibrary {
  readonly name: 'openmpi' | 'mpich'
  /** First line of what the library says of itself. */
  readonly version: string
  readonly handles: MpiHandles
  readonly call: MpiCalls
  /** alarm(2): the system ends this process after so many seconds, whatever it hangs in. */
  readonly endAfter: (seconds: number) => void
  /** prctl(2), on Linux: the system ends this process as soon as the one that has started it is gone. */
  readonly endWithParent: () => void
}

/** Constants of the C header, which differ between the two families. */
export interface MpiHandles {
  readonly world: bigint
  readonly float: bigint
  readonly double: bigint
  readonly byte: bigint
  readonly sum: bigint
  /** MPI_IN_PLACE, MPI_STATUS_IGNORE: addresses that nothing has. */
  readonly inPlace: bigint
  readonly statusIgnore: bigint
  /** MPI_ANY_SOURCE. */
  readonly anySource: number
}

type Memory = ArrayBufferView | null
type Address = bigint | ArrayBufferView

/** Each returns 0 (MPI_SUCCESS); by default MPI ends the job on an error. */
export interface MpiCalls {
  initThread(argc: Memory, argv: Memory, required: number, provided: Memory): number
  initialized(flag: Memory): number
  finalized(flag: Memory): number
  finalize(): number
  abort(comm: bigint, code: number): number
  commRank(comm: bigint, rank: Memory): number
  commSize(comm: bigint, size: Memory): number
  iallreduce(
    send: Address,
    receive: Memory,
    count: number,
    type: bigint,
    op: bigint,
    comm: bigint,
    request: Memory,
  ): number
  ireduceScatter(
    send: Memory,
    receive: Memory,
    count: number,
    type: bigint,
    op: bigint,
    comm: bigint,
    request: Memory,
  ): number
  iallgather(
    send: Memory,
    sendCount: number,
    sendType: bigint,
    receive: Memory,
    receiveCount: number,
    receiveType: bigint,
    comm: bigint,
    request: Memory,
  ): number
  ibcast(values: Memory, count: number, type: bigint, root: number, comm: bigint, request: Memory): number
  isend(values: Memory, count: number, type: bigint, to: number, tag: number, comm: bigint, request: Memory): number
  irecv(values: Memory, count: number, type: bigint, from: number, tag: number, comm: bigint, request: Memory): number
  test(request: Memory, flag: Memory, status: bigint): number
  cancel(request: Memory): number
  commGroup(comm: bigint, group: Memory): number
  groupIncl(group: bigint, count: number, ranks: Memory, part: Memory): number
  groupFree(group: Memory): number
  commCreateGroup(comm: bigint, group: bigint, tag: number, made: Memory): number
  commFree(comm: Memory): number
}

/**
 * Loads an MPI library through koffi. The first of the names that the system knows is taken.
 *
 * @throws Error where koffi or all libraries are missing, or the library is of neither known family
 */
export async function loadMpi(names: readonly string[]): Promise<MpiLibrary> {
  for (const [name, value] of Object.entries(QUIET_UCX)) process.env[name] ??= value
  const koffi = await loadKoffi()
  const library = firstLibrary(koffi, names)
  const version = libraryVersion(library)
  const isOpenMpi = version.startsWith('Open MPI')
  // MPICH's relatives (Intel MPI, MVAPICH, Cray) keep its binary interface and name themselves.
  const isMpich = /MPICH|MVAPICH|Intel\(R\) MPI/.test(version)
  if (!isOpenMpi && !isMpich) {
    throw new Error(`mpi: the library must be Open MPI or of the MPICH family (it is ${version})`)
  }
  const handles = isOpenMpi ? openMpiHandles(library) : MPICH_HANDLES
  return {
    name: isOpenMpi ? 'openmpi' : 'mpich',
    version,
    handles,
    call: functions(library),
    ...systemCalls(koffi),
  }
}

/**
 * UCX, which MPICH and some Open MPI run on, watches the mappings of its process, for RDMA cards alone. To try its hooks, it
 * raises the end of malloc's heap by a page and lowers it by one, without looking whether it rose (UCX 1.13). V8 maps its code
 * right above the heap of a Node that is linked to a fixed address: where the heap has grown up to it, malloc loses its last
 * page with what lies there. The segmentation fault that follows is taken by UCX's handler, which allocates memory, and crashes
 * again or waits for malloc's lock for ever. Whoever has such cards sets the variables otherwise.
 */
const QUIET_UCX = { UCX_MEM_EVENTS: 'no', UCX_HANDLE_ERRORS: 'none', UCX_ERROR_SIGNALS: '' }

/** MPICH ABI: handles are numbers with their kind, and for types the size in bytes, in the upper bits. */
const MPICH_HANDLES: MpiHandles = {
  world: 0x44000000n,
  float: 0x4c00040an,
  double: 0x4c00080bn,
  byte: 0x4c00010dn,
  sum: 0x58000003n,
  inPlace: 0xffff_ffff_ffff_ffffn,
  statusIgnore: 1n,
  anySource: -2,
}

/** Open MPI: handles are the addresses of exported objects. */
function openMpiHandles(library: Koffi.LibraryHandle): MpiHandles {
  const address = (name: string) => library.symbol(name) as bigint
  return {
    world: address('ompi_mpi_comm_world'),
    float: address('ompi_mpi_float'),
    double: address('ompi_mpi_double'),
    byte: address('ompi_mpi_byte'),
    sum: address('ompi_mpi_op_sum'),
    inPlace: 1n,
    statusIgnore: 0n,
    anySource: -1,
  }
}

function functions(library: Koffi.LibraryHandle): MpiCalls {
  // A handle is passed as a word: an int argument of MPICH is its lower half on every 64-bit calling convention in use.
  const [H, P, I] = ['uintptr_t', 'void *', 'int']
  const bind = (name: string, ...parameters: string[]) => library.func(name, 'int', parameters)
  const allReduce = [P, I, H, H, H, P]
  const inPlace = bind('MPI_Iallreduce', H, ...allReduce)
  const apart = bind('MPI_Iallreduce', P, ...allReduce)
  const message = [P, I, H, I, I, H, P]
  return {
    initThread: bind('MPI_Init_thread', P, P, I, P),
    initialized: bind('MPI_Initialized', P),
    finalized: bind('MPI_Finalized', P),
    finalize: bind('MPI_Finalize'),
    abort: bind('MPI_Abort', H, I),
    commRank: bind('MPI_Comm_rank', H, P),
    commSize: bind('MPI_Comm_size', H, P),
    iallreduce: (send, ...rest) => (typeof send === 'bigint' ? inPlace : apart)(send, ...rest) as number,
    ireduceScatter: bind('MPI_Ireduce_scatter_block', P, P, I, H, H, H, P),
    iallgather: bind('MPI_Iallgather', P, I, H, P, I, H, H, P),
    ibcast: bind('MPI_Ibcast', P, I, H, I, H, P),
    isend: bind('MPI_Isend', ...message),
    irecv: bind('MPI_Irecv', ...message),
    test: bind('MPI_Test', P, P, H),
    cancel: bind('MPI_Cancel', P),
    commGroup: bind('MPI_Comm_group', H, P),
    groupIncl: bind('MPI_Group_incl', H, I, P, P),
    groupFree: bind('MPI_Group_free', P),
    commCreateGroup: bind('MPI_Comm_create_group', H, H, I, P),
    commFree: bind('MPI_Comm_free', P),
  }
}

function libraryVersion(library: Koffi.LibraryHandle): string {
  const [text, length] = [new Uint8Array(8192), new Int32Array(1)]
  library.func('MPI_Get_library_version', 'int', ['void *', 'void *'])(text, length)
  return new TextDecoder().decode(text.subarray(0, length[0])).split(/[\n\0]/)[0]
}

/** PR_SET_PDEATHSIG and SIGKILL. */
const [ON_PARENT_DEATH, KILL] = [1, 9]

function systemCalls(koffi: typeof Koffi): Pick<MpiLibrary, 'endAfter' | 'endWithParent'> {
  const isLinux = process.platform === 'linux'
  try {
    const libc = koffi.load(isLinux ? 'libc.so.6' : 'libSystem.B.dylib')
    const alarm = libc.func('alarm', 'uint', ['uint']) as (seconds: number) => number
    const prctl = isLinux
      ? (libc.func('prctl', 'int', ['int', 'ulong']) as (option: number, value: number) => number)
      : () => 0
    return {
      endAfter: (seconds) => void alarm(seconds),
      endWithParent: () => void prctl(ON_PARENT_DEATH, KILL),
    }
  } catch {
    // Without them, an abort that hangs is ended by the patience of the other ranks, and a rank may outlive its launcher.
    return { endAfter() {}, endWithParent() {} }
  }
}

async function loadKoffi(): Promise<typeof Koffi> {
  try {
    const module = (await import('koffi')) as typeof Koffi & { default?: typeof Koffi }
    return module.default ?? module
  } catch (cause) {
    throw new Error(
      'mpi: the package koffi is missing, which calls the MPI library; install it with `npm install koffi`',
      {
        cause,
      },
    )
  }
}

function firstLibrary(koffi: typeof Koffi, names: readonly string[]): Koffi.LibraryHandle {
  const problems: string[] = []
  for (const name of names) {
    try {
      // Open MPI loads components that look for the library's symbols in the whole process.
      return koffi.load(name, { global: true })
    } catch (error) {
      problems.push(`${name}: ${(error as Error).message}`)
    }
  }
  throw new Error(
    `mpi: no MPI library could be loaded (${problems.join('; ')}); install that of the launcher, or name it in DIT_MPI_LIBRARY`,
  )
}
