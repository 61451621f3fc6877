/** Who may open a socket, over all processes. */
export type SocketLease = {
  /** Takes or extends it, for `leaseMs`; false: somebody else has it. */
  take(name: string): Promise<boolean>;
  release(name: string): Promise<void>;
  readonly leaseMs: number;
};
