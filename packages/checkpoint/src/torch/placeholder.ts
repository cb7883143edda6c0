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
  /^pathlib\.\w+$|^pathlib\._local\.\w+$/,
  /^datetime\.(?:datetime|date|time|timedelta|timezone)$/,
  /^collections\.(?:deque|ChainMap|UserDict|UserList)$/,
  /^zoneinfo\.ZoneInfo(?:\._unpickle)?$/,
  /^numpy\.(?:ndarray|matrix|memmap|recarray|random\._pickle\.\w+)$/,
  /^numpy\.(?:core|_core)\.(?:multiarray\._reconstruct|numeric\._frombuffer)$/,
  /^numpy\.(?:bool|float|int|uint|complex|str|bytes)\w*$/,
  /^(?:copyreg|copy_reg)\.(?:_reconstructor|__newobj__)$/,
  /^(?:builtins|__builtin__)\.(?:complex|slice|range|object|bytearray)$/,
  /^torch\.(?:Generator|torch_version\.TorchVersion)$/,
]

/** Modules whose classes and functions do things: their names are refused, as a file that has them means harm. */
const REFUSED =
  /^(?:os|posix|nt|sys|subprocess|shutil|socket\w*|ctypes|builtins|__builtin__|importlib|imp|runpy|code|codeop|pty|pdb|bdb|types|functools|operator|inspect|pickle|_pickle|cPickle|dill|cloudpickle|joblib|marshal|shelve|multiprocessing|threading|_thread|asyncio|concurrent|webbrowser|platform|commands|timeit|trace|profile|cProfile|doctest|unittest|tempfile|urllib|http|ftplib|requests|io|_io|gc|signal|atexit|sched|site|zipimport|pkgutil|test|idlelib|pip|setuptools)(?:\.|$)/

/** A class by the usual spelling of classes, also within another. */
const CLASS_NAME = /^[A-Z]\w*(?:\.[A-Z]\w*)*$/

/**
 * Whether a name stands for plain data whose content may be read past. Others are refused: functions, which a pickle calls to do something,
 * modules of networks, tensors of kinds that are not read.
 */
export function isPlaceholder(module: string, name: string): boolean {
  if (KNOWN.some((pattern) => pattern.test(`${module}.${name}`))) return true
  if (!CLASS_NAME.test(name) || REFUSED.test(module)) return false
  // A whole module is a mistake that has a remedy.
  return !/^torch\.(?:nn|jit|fx|package|_dynamo|multiprocessing)(?:\.|$)/.test(module)
}
