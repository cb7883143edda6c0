/** Why a file of conditions cannot serve; the message begins with its path and is meant for its owner. */
export class ConditionsError extends Error {
  override readonly name = 'ConditionsError'
}
