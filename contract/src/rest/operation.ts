import type { z } from 'zod';
import type { PathId } from './ids.ts';
import type { OrganizationPermission } from './organization-permissions.ts';
import type { Permission } from './permissions.ts';

/**
 * One call of the REST API, as both of its sides know it. `path` is below `/api/v1`; what stands in braces is an id
 * (see ids.ts), and `{tenantId}` the tenant that the call is about.
 */
export type Operation = {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  path: `/${string}`;
  /** The group that it is shown in. */
  tag: string;
  summary: string;
  description?: string;
  /**
   * What whoever calls must be permitted in the tenant of the path, or in its organization; `nothing`: to have access to
   * the tenant is enough. Of calls that are about neither: `a-session`, a person who is signed in, about themselves;
   * `an-operator`, who looks after the installation; `no-credentials`, anybody.
   */
  needs: NeedsInTenant | OrganizationPermission | NeedsElsewhere;
  query?: z.ZodObject;
  body?: z.ZodType;
  answer: { status: 200 | 201 | 202 | 204; body?: z.ZodType };
  /** Its answer carries an `ETag`, and an `If-Match` is heeded. */
  isVersioned?: true;
};

type NeedsInTenant = Permission | 'nothing';
type NeedsElsewhere = 'a-session' | 'an-operator' | 'no-credentials';

/** What a path may need: what it is about says whose permissions count. An operator's may be about anything. */
type NeedsAt<Path extends string> =
  | 'an-operator'
  | (Path extends `${string}{tenantId}${string}`
      ? NeedsInTenant
      : Path extends `${string}{organizationId}${string}`
        ? OrganizationPermission
        : NeedsElsewhere);

/** The names in the braces of a path. */
export type PathIdsOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? (Name extends PathId ? Name : never) | PathIdsOf<Rest>
  : never;

export type QueryOf<Op extends Operation> = Op['query'] extends z.ZodType ? z.output<Op['query']> : undefined;
export type BodyOf<Op extends Operation> = Op['body'] extends z.ZodType ? z.output<Op['body']> : undefined;
export type AnswerOf<Op extends Operation> = Op['answer'] extends { body: infer Body extends z.ZodType }
  ? z.input<Body>
  : undefined;

/** Keeps what an operation says of itself as its type, and refuses one that says too little. */
export function operations<
  const Table extends Readonly<Record<string, Operation>> & {
    readonly [Name in keyof Table]: {
      needs: NeedsAt<Table[Name] extends Operation ? Table[Name]['path'] : never>;
    };
  },
>(table: Table): Table {
  return table;
}
