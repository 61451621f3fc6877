/**
 * What a command ends with: 0 done, 1 refused or failed. Wrong use ends with 2 before a command runs. `audit verify` has codes
 * of its own: 1 tampered with, 2 cannot be told.
 */
export type SetExitCode = (code: 0 | 1 | 2) => void;
