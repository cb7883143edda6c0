import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

const folder = join(import.meta.dirname, '..', 'docs', 'recipes')

/** What a value of a manifest must be: a type's name, allowed values, a list of something, or an object's fields (`?`: optional). */
type Rule = 'string' | 'number' | readonly string[] | { readonly list: Rule } | { readonly [field: string]: Rule }

const container: Rule = {
  name: 'string',
  image: 'string',
  'command?': { list: 'string' },
  'args?': { list: 'string' },
  'securityContext?': { 'runAsUser?': 'number' },
  'resources?': { limits: { 'cpu?': 'number', 'memory?': 'string', 'nvidia.com/gpu?': 'number' } },
  'volumeMounts?': { list: { name: 'string', mountPath: 'string' } },
}
const template: Rule = {
  spec: {
    'terminationGracePeriodSeconds?': 'number',
    containers: { list: container },
    'volumes?': { list: { name: 'string', 'persistentVolumeClaim?': { claimName: 'string' } } },
  },
}
const restart = ['Never', 'OnFailure'] as const

/** Fields of kubeflow.org/v2beta1 MPIJob, as far as the recipe uses its kinds. */
const mpiJob: Rule = {
  apiVersion: ['kubeflow.org/v2beta1'],
  kind: ['MPIJob'],
  metadata: { name: 'string' },
  spec: {
    'slotsPerWorker?': 'number',
    'sshAuthMountPath?': 'string',
    'mpiImplementation?': ['OpenMPI', 'Intel', 'MPICH'],
    'launcherCreationPolicy?': ['AtStartup', 'WaitForWorkersReady'],
    'runPolicy?': {
      'cleanPodPolicy?': ['None', 'Running', 'All'],
      'backoffLimit?': 'number',
      'activeDeadlineSeconds?': 'number',
      'ttlSecondsAfterFinished?': 'number',
    },
    mpiReplicaSpecs: {
      Launcher: { 'replicas?': 'number', 'restartPolicy?': restart, template },
      Worker: { 'replicas?': 'number', 'restartPolicy?': restart, template },
    },
  },
}

/** Paths that break a rule. */
function problems(value: unknown, rule: Rule, path = ''): string[] {
  if (typeof rule === 'string') return typeof value === rule ? [] : [`${path} must be a ${rule}`]
  if (Array.isArray(rule)) return rule.includes(value) ? [] : [`${path} must be one of ${rule.join(', ')}`]
  if (typeof value !== 'object' || value === null) return [`${path} must hold fields`]
  if ('list' in rule) {
    return Array.isArray(value)
      ? value.flatMap((item, i) => problems(item, rule.list, `${path}[${i}]`))
      : [`${path} must be a list`]
  }
  const fields = rule as { readonly [field: string]: Rule }
  const known = Object.keys(fields).map((field) => field.replace('?', ''))
  const unknown = Object.keys(value).filter((field) => !known.includes(field))
  return [
    ...unknown.map((field) => `${path}.${field} is unknown`),
    ...Object.entries(fields).flatMap(([field, inner]) => {
      const name = field.replace('?', '')
      const found = (value as Record<string, unknown>)[name]
      if (found === undefined) return field.endsWith('?') ? [] : [`${path}.${name} is missing`]
      return problems(found, inner, `${path}.${name}`)
    }),
  ]
}

test('the manifest for the MPI operator has the fields of its kind, and its pods what they name', () => {
  const manifest = parse(readFileSync(join(folder, 'kubernetes.yaml'), 'utf8')) as {
    spec: { mpiReplicaSpecs: { Worker: { replicas: number }; Launcher: { template: { spec: object } } } }
  }
  expect(problems(manifest, mpiJob)).toEqual([])
  expect(problems({ ...manifest, kind: 'Job' }, mpiJob)).toEqual(['.kind must be one of MPIJob'])
  const text = JSON.stringify(manifest.spec.mpiReplicaSpecs.Launcher.template.spec)
  expect(text).toContain(`mpirun --allow-run-as-root -n ${manifest.spec.mpiReplicaSpecs.Worker.replicas} `)
})

test('the batch script for Slurm is a shell script that starts with its options', () => {
  const path = join(folder, 'slurm.sbatch')
  expect(spawnSync('bash', ['-n', path]).status).toBe(0)
  const options = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('#SBATCH'))
  for (const option of options) expect(option).toMatch(/^#SBATCH --[a-z-]+(=[\w:@-]+)?$/)
  expect(options.length).toBeGreaterThan(4)
})
