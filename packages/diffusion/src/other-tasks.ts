/**
 * Resolves after the tasks that are waiting now (timers, input, messages) have had their turn. A message to oneself does
 * this at once and also in a hidden page, where timers are held back for a second.
 */
export function otherTasks(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.addEventListener(
      'message',
      () => {
        port1.close()
        resolve()
      },
      { once: true },
    )
    port1.start()
    port2.postMessage(null)
  })
}
