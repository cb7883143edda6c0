import type { ProcessDescription, Program, SavedArguments } from './program.js'

/** What SiT and LightningDiT call their paths and predictions, and REPA its own. */
const SIT_PATHS = { Linear: 'linear', GVP: 'gvp', VP: 'vp' } as const
const SIT_PREDICTIONS = { velocity: 'velocity', score: 'score', noise: 'epsilon' } as const
const REPA_PATHS = { linear: 'linear', cosine: 'gvp' } as const
const REPA_PREDICTIONS = { v: 'velocity' } as const

/**
 * The process of a program, with the settings that its saved arguments tell. Time runs from noise to data in SiT, LightningDiT and JiT, from
 * data to noise in REPA; all four tell their networks t in [0, 1], unscaled.
 *
 * @returns null where nothing tells
 * @throws RangeError for a value that the program does not have
 */
export function processOf(program: Program | null, saved: SavedArguments): ProcessDescription | null {
  switch (program) {
    case 'SiT':
      return sitProcess('', saved)
    case 'LightningDiT':
      return sitProcess('transport.', saved)
    case 'REPA':
      return {
        kind: 'flow',
        networkTime: 'towardsNoise',
        ...setting('interpolant', named('REPA', 'path_type', saved, REPA_PATHS)),
        ...setting('prediction', named('REPA', 'prediction', saved, REPA_PREDICTIONS) ?? 'velocity'),
      }
    case 'JiT': {
      const floor = saved.get('t_eps')
      return {
        kind: 'flow',
        networkTime: 'towardsData',
        interpolant: 'linear',
        prediction: 'x0',
        weighting: 'velocity',
        sigmaFloor: typeof floor === 'number' ? floor : 0.05,
      }
    }
    default:
      return null
  }
}

function sitProcess(at: string, saved: SavedArguments): ProcessDescription {
  const program = at === '' ? 'SiT' : 'LightningDiT'
  const prediction = named(program, `${at}prediction`, saved, SIT_PREDICTIONS)
  const weighting = saved.get(`${at}loss_weight`)
  // SiT weighs no velocity, whatever it is asked for.
  const isWeighted = prediction !== undefined && prediction !== 'velocity'
  return {
    kind: 'flow',
    networkTime: 'towardsData',
    ...setting('interpolant', named(program, `${at}path_type`, saved, SIT_PATHS)),
    ...setting('prediction', prediction),
    ...(isWeighted && (weighting === 'velocity' || weighting === 'likelihood') ? { weighting } : {}),
  }
}

function named<T extends string>(
  program: Program,
  argument: string,
  saved: SavedArguments,
  names: Readonly<Record<string, T>>,
): T | undefined {
  const given = saved.get(argument)
  if (given === undefined) return undefined
  if (typeof given === 'string' && Object.hasOwn(names, given)) return names[given]
  throw new RangeError(
    `weights: the saved ${argument} of ${program} must be ${Object.keys(names).join(', ')} (got ${JSON.stringify(given).slice(0, 60)})`,
  )
}

function setting(name: string, value: string | undefined): Readonly<Record<string, string>> {
  return value === undefined ? {} : { [name]: value }
}
