import { completeProcess, type FlowProcessSpec } from '@dit/diffusion'
import { fieldsOf, flag, number } from './diffusers-fields.js'

const CLASSES: readonly unknown[] = ['FlowMatchEulerDiscreteScheduler', 'FlowMatchHeunDiscreteScheduler']

/**
 * The flow that the network of a diffusers folder was trained on, from its `scheduler/scheduler_config.json`: a straight path, whose
 * velocity the network predicts, told its time in training steps. The fields that lay out the steps of sampling play no part.
 *
 * @param json the file parsed, or its text
 * @returns null for other schedulers, and with `invert_sigmas`, which only that scheduler knows how to read
 * @throws RangeError when the text is not JSON, TypeError when it is no object or a field has the wrong kind
 */
export function diffusersFlow(json: unknown): FlowProcessSpec | null {
  const fields = fieldsOf(json)
  if (!CLASSES.includes(fields['_class_name']) || flag(fields, 'invert_sigmas', false)) return null
  // With `use_dynamic_shifting` the shift follows from the size of the picture.
  const shift = flag(fields, 'use_dynamic_shifting', false) ? 1 : number(fields, 'shift', 1)
  return completeProcess({
    kind: 'flow',
    timestepScale: number(fields, 'num_train_timesteps', 1000),
    times: { law: 'uniform', ...(shift === 1 ? {} : { shift }) },
  }) as FlowProcessSpec
}
