/** A guarded change whose precondition no longer holds. The decision it belongs to becomes a recorded no-op. */
export class GuardFailed extends Error {
  override readonly name = 'GuardFailed';
}
