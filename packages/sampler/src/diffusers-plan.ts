import { fieldsOf } from './diffusers-fields.js'
import { edmDpmSolverMultistep, edmEuler } from './diffusers/edm-schedulers.js'
import {
  deisMultistep,
  dpmSolverMultistep,
  dpmSolverSinglestep,
  unipcMultistep,
} from './diffusers/exponential-schedulers.js'
import { flowMatchEuler, flowMatchHeun } from './diffusers/flow-schedulers.js'
import type { DiffusersClass, DiffusersPlan, DiffusersSteps } from './diffusers/plan.js'
import { ddimDiscrete, ddpmDiscrete, pndmDiscrete } from './diffusers/share-schedulers.js'
import { eulerAncestralDiscrete, eulerDiscrete, heunDiscrete, lmsDiscrete } from './diffusers/sigma-schedulers.js'

/** The schedulers of diffusers that are known here, by class. */
const CLASSES: Readonly<Record<string, DiffusersClass>> = {
  DDIMScheduler: ddimDiscrete,
  DDPMScheduler: ddpmDiscrete,
  DEISMultistepScheduler: deisMultistep,
  DPMSolverMultistepScheduler: dpmSolverMultistep,
  DPMSolverSinglestepScheduler: dpmSolverSinglestep,
  EDMDPMSolverMultistepScheduler: edmDpmSolverMultistep,
  EDMEulerScheduler: edmEuler,
  EulerAncestralDiscreteScheduler: eulerAncestralDiscrete,
  EulerDiscreteScheduler: eulerDiscrete,
  FlowMatchEulerDiscreteScheduler: flowMatchEuler,
  FlowMatchHeunDiscreteScheduler: flowMatchHeun,
  HeunDiscreteScheduler: heunDiscrete,
  LMSDiscreteScheduler: lmsDiscrete,
  PNDMScheduler: pndmDiscrete,
  UniPCMultistepScheduler: unipcMultistep,
}

/**
 * A diffusers scheduler in our terms, from its `scheduler_config.json`: the path for a number of steps, how the network's output is read,
 * and the solver. Where a field is missing, the default of its class holds.
 *
 * @param json the file parsed, or its text: Python writes -Infinity there, which JSON.parse refuses
 * @returns lays out the steps; throws RangeError where their number or options do not fit
 * @throws RangeError for a class, an option or a combination that is not known here, by its name
 * @throws TypeError when it is no object or a field has the wrong kind
 *
 * @example
 * const { path, reading, solve } = diffusersPlan({ _class_name: 'EulerDiscreteScheduler' })({ numSteps: 20 })
 * const x0 = await lastStep(solve(path, denoiser(predict, reading), affine(noise, path.startScale), {}))
 *
 * The classes are those of diffusers 0.42.
 */
export function diffusersPlan(json: unknown): (steps: DiffusersSteps) => DiffusersPlan {
  const fields = fieldsOf(json)
  const name = fields['_class_name']
  if (typeof name !== 'string' || !Object.hasOwn(CLASSES, name)) {
    throw new RangeError(
      `scheduler_config.json: _class_name must be one of ${Object.keys(CLASSES).join(', ')} (got ${JSON.stringify(name)})`,
    )
  }
  return CLASSES[name](fields)
}
