/** npm package of the engine `tensorflow` for each device. Both hold the same code and differ in the library they load. */
export const PACKAGES = { cpu: '@tensorflow/tfjs-node', gpu: '@tensorflow/tfjs-node-gpu' } as const

/** Where the engine `tensorflow` computes. */
export type TensorflowDevice = keyof typeof PACKAGES

/**
 * Why the engine `tensorflow` cannot be used:
 *
 * - `not-installed`: there is no npm package
 * - `no-native-part`: the package is there, the binding that its install script downloads or builds is not
 * - `wrong-abi`: the binding is for another version of Node, processor or operating system
 * - `no-library`: a shared library is missing, of TensorFlow, CUDA or cuDNN
 * - `no-device`: everything loads, and TensorFlow finds no GPU
 * - `does-not-start`: anything else, in the engine's own words
 */
export type TensorflowTrouble =
  | 'not-installed'
  | 'no-native-part'
  | 'wrong-abi'
  | 'no-library'
  | 'no-device'
  | 'does-not-start'

/** The engine `tensorflow` cannot be used. `message` says why, `fix` what to do about it. */
export class TensorflowError extends Error {
  override readonly name = 'TensorflowError'
  readonly trouble: TensorflowTrouble
  readonly fix: string

  constructor(trouble: TensorflowTrouble, message: string, fix: string, options?: ErrorOptions) {
    super(message, options)
    this.trouble = trouble
    this.fix = fix
  }
}

/** The command that gets a TensorFlow and builds the binding of a package against it. */
export function buildCommand(device: TensorflowDevice): string {
  const [wheel, gpu] = device === 'gpu' ? ["'tensorflow[and-cuda]'", ' --gpu'] : ['tensorflow-cpu', '']
  return `python3 -m venv venv && venv/bin/pip install ${wheel} && npx dit-tensorflow build${gpu} --python venv/bin/python`
}

export function notInstalled(device: TensorflowDevice): TensorflowError {
  const fix = `npm install --ignore-scripts ${PACKAGES[device]} && ${buildCommand(device)}`
  return new TensorflowError('not-installed', `${PACKAGES[device]} is not installed`, fix)
}

/**
 * What is wrong when loading the binding throws.
 *
 * @param message of the loader of shared libraries, or of Node
 * @param binding the file that was loaded
 */
export function loadingTrouble(device: TensorflowDevice, binding: string, message: string): TensorflowError {
  const line = message.split('\n')[0]
  const name = PACKAGES[device]
  const missing = /(?:^|[\s:'])([\w.+-]+\.so[\w.]*|[\w.+-]+\.(?:dylib|dll))'?: cannot open shared object file/.exec(
    line,
  )
  if (missing !== null) {
    return new TensorflowError(
      'no-library',
      `${name} is installed, but ${missing[1]} is not found (${libraryText(missing[1])})`,
      /tensorflow/.test(missing[1]) ? buildCommand(device) : libraryFix(missing[1]),
    )
  }
  const abi =
    /NODE_MODULE_VERSION (\d+)|invalid ELF header|file too short|wrong ELF class|not a mach-o|not a valid Win32|incompatible architecture|undefined symbol: napi_\w+|Module did not self-register/i
  if (abi.test(line) || abi.test(message)) {
    const built = /NODE_MODULE_VERSION (\d+)/.exec(message)
    const here = `Node ${process.versions.node} (${process.platform} ${process.arch}, NODE_MODULE_VERSION ${process.versions.modules})`
    const what = built === null ? 'is of another system, or broken' : `was built for NODE_MODULE_VERSION ${built[1]}`
    return new TensorflowError(
      'wrong-abi',
      `the native part of ${name} ${what}; this is ${here}: ${binding}`,
      buildCommand(device),
    )
  }
  return new TensorflowError('does-not-start', `${name} does not start: ${line}`, 'dit doctor')
}

interface Library {
  readonly pattern: RegExp
  readonly product: string
  /** Python package that has it, for CUDA 12. */
  readonly wheel: string
}

const LIBRARIES: readonly Library[] = [
  { pattern: /^lib(cuda|nvidia-ml)\.so/, product: "NVIDIA's driver", wheel: '' },
  { pattern: /^libcudart\.so/, product: 'the CUDA runtime', wheel: 'nvidia-cuda-runtime-cu12' },
  { pattern: /^libcublas(Lt)?\.so/, product: 'cuBLAS of CUDA', wheel: 'nvidia-cublas-cu12' },
  { pattern: /^libcudnn\w*\.so/, product: 'cuDNN', wheel: 'nvidia-cudnn-cu12' },
  { pattern: /^libcufft\.so/, product: 'cuFFT of CUDA', wheel: 'nvidia-cufft-cu12' },
  { pattern: /^libcurand\.so/, product: 'cuRAND of CUDA', wheel: 'nvidia-curand-cu12' },
  { pattern: /^libcusolver\.so/, product: 'cuSOLVER of CUDA', wheel: 'nvidia-cusolver-cu12' },
  { pattern: /^libcusparse\.so/, product: 'cuSPARSE of CUDA', wheel: 'nvidia-cusparse-cu12' },
  { pattern: /^libcupti\.so/, product: 'CUPTI of CUDA', wheel: 'nvidia-cuda-cupti-cu12' },
  { pattern: /^libnccl\.so/, product: 'NCCL', wheel: 'nvidia-nccl-cu12' },
  { pattern: /^libnvJitLink\.so/, product: 'nvJitLink of CUDA', wheel: 'nvidia-nvjitlink-cu12' },
  { pattern: /^libtensorflow/, product: 'TensorFlow', wheel: 'tensorflow' },
]

/** Product and version that a file name stands for: `libcudnn.so.8` is cuDNN 8. */
export function libraryText(file: string): string {
  const product = LIBRARIES.find(({ pattern }) => pattern.test(file))?.product
  if (product === undefined) return 'a library of the system'
  // The driver and TensorFlow itself number their interfaces, not their versions.
  const version =
    /^lib(cuda|nvidia-ml|tensorflow)/.test(file) && !file.startsWith('libcudart') ? null : /\.so\.([\d.]+)$/.exec(file)
  return version === null ? product : `${product}, version ${version[1]}`
}

/** How to get a library. */
export function libraryFix(file: string): string {
  if (/^lib(cuda|nvidia-ml)\.so/.test(file))
    return "install NVIDIA's driver; in a container, start it with the GPUs (docker run --gpus all)"
  const library = LIBRARIES.find(({ pattern }) => pattern.test(file))
  if (library === undefined) return `install the package of your system that has ${file}`
  const text = libraryText(file)
  const older = /\.so\.(8|10|11)(\.|$)/.test(file) && !/^lib(cufft|cusolver)\.so\.(10|11)/.test(file)
  if (older) return `install ${text} and name its folder in LD_LIBRARY_PATH; or, for CUDA 12, ${buildCommand('gpu')}`
  return `pip install ${library.wheel} beside the tensorflow that the binding was built against, or name the folder of ${file} in LD_LIBRARY_PATH`
}
