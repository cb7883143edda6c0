// Node runs the CommonJS build of tfjs-core, which registers no gradients. Its other build has them, written for bundlers:
// no extensions, no package type. These hooks load those files as they are meant.
const folder = /\/@tensorflow\/tfjs-core\/dist\/.*$/

export async function resolve(specifier, context, next) {
  const isBare = specifier.startsWith('.') && !specifier.endsWith('.js')
  return next(isBare && folder.test(context.parentURL ?? '') ? `${specifier}.js` : specifier, context)
}

export async function load(url, context, next) {
  const isModule = folder.test(url) && !url.endsWith('.node.js')
  return next(url, isModule ? { ...context, format: 'module' } : context)
}
