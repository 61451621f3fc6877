/** What a command ends with: 0 done, 1 refused or failed. Wrong use ends with 2 before a command runs. */
export type SetExitCode = (code: 0 | 1) => void;
