/** The only source of chance. Seeded in tests and simulations. */
export interface Random {
  bytes(count: number): Uint8Array;
}
