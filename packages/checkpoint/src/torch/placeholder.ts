/**
 * Something in a `.pt` file that is no container, number, string or tensor: a path, a date, an object of somebody's class. Only its name is
 * kept. What it was made from is read past, nothing is imported, and nothing runs.
 */
export class TorchPlaceholder {
  /** Of its class, such as `pathlib.PosixPath`. */
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** A class as a pickle names it, which makes placeholders; by itself it is one, too. */
export class PlaceholderClass extends TorchPlaceholder {
  make(): TorchPlaceholder {
    return new TorchPlaceholder(this.name)
  }
}

/** Functions and classes in small letters that make plain data: of paths, times, numbers, arrays and generators of random numbers. */
const KNOWN: readonly RegExp[] = [
  /^pathlib\.(?:_local\.)?(?:Pure)?(?:Posix|Windows)?Path$/,
  /^datetime\.(?:datetime|date|time|timedelta|timezone)$/,
  /^collections\.(?:deque|ChainMap|UserDict|UserList)$/,
  /^zoneinfo\.ZoneInfo$/,
  /^types\.SimpleNamespace$|^array\.(?:array|_array_reconstructor)$/,
  /^numpy\.(?:ndarray|matrix|recarray|ma\.core\.\w+)$/,
  /^numpy\.random\.(?:_pickle|bit_generator|_mt19937|_pcg64|_philox|_sfc64|mtrand)\.\w+$/,
  /^numpy\.(?:core|_core)\.(?:multiarray\._reconstruct|numeric\._frombuffer)$/,
  /^numpy\.(?:bool|float|int|uint|complex|str|bytes)\w*$/,
  /^(?:copyreg|copy_reg)\.(?:_reconstructor|__newobj__)$/,
  /^(?:builtins|__builtin__)\.(?:complex|slice|range|object|bytearray)$/,
  /^torch\.(?:Generator|torch_version\.TorchVersion)$/,
]

/** Modules whose classes and functions do things: their names are refused, as a file that has them means harm. */
const REFUSED: ReadonlySet<string> = new Set(
  `os posix nt sys subprocess shutil socket socketserver ctypes _ctypes cffi builtins __builtin__ importlib imp runpy code codeop pty pdb bdb types functools operator inspect pickle _pickle cPickle dill cloudpickle joblib marshal shelve multiprocessing multiprocess threading _thread asyncio concurrent webbrowser platform commands timeit trace profile cProfile doctest unittest tempfile urllib http ftplib smtplib telnetlib poplib imaplib nntplib xmlrpc ssl sqlite3 logging zipfile tarfile gzip bz2 lzma fileinput pydoc cmd contextlib distutils lib2to3 venv compileall requests httpx aiohttp paramiko io _io gc signal atexit sched site zipimport pkgutil test idlelib pip setuptools pkg_resources ensurepip _winapi winreg msvcrt psutil gevent eventlet pexpect IPython yaml jinja2 mako keras tensorflow numba cpp_extension _inductor datapipes rpc ast dis symtable tkinter turtle string linecache tracemalloc faulthandler resource fcntl termios mmap readline curses`.split(
    ' ',
  ),
)

/** A part of a module's name. */
const MODULE_PART = /^[A-Za-z_]\w*$/

/** A class by the usual spelling of classes, also within another. */
const CLASS_NAME = /^[A-Z]\w*(?:\.[A-Z]\w*)*$/

/**
 * Whether a name stands for plain data whose content may be read past. Others are refused: functions, which a pickle calls to do something,
 * modules of networks, tensors of kinds that are not read.
 */
export function isPlaceholder(module: string, name: string): boolean {
  if (KNOWN.some((pattern) => pattern.test(`${module}.${name}`))) return true
  const parts = module.split('.')
  if (!CLASS_NAME.test(name) || parts.some((part) => !MODULE_PART.test(part) || REFUSED.has(part))) return false
  // A whole module is a mistake that has a remedy.
  return !/^torch\.(?:nn|jit|fx|package|_C|_dynamo|distributed|multiprocessing|utils\.data)(?:\.|$)/.test(module)
}
