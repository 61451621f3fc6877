import type { passkeyOperations } from '@swarmgate/contract/rest/passkeys.ts';
import { toWire } from '#domain/ids.ts';
import type { Identity, OwnPasskey } from '#identity/identity.ts';
import type { HandlersOf } from './handler.ts';
import { conflict, notFound } from './refusals.ts';
import { createRefuseForeign } from './refuse-foreign.ts';
import { notFresh, refuseSignIn, refuseSignOn, showSignedIn } from './sign-in-answers.ts';

const nameDefault = 'Passkey';

/** What people do with passkeys. */
export function passkeyHandlers(people: () => Identity): HandlersOf<typeof passkeyOperations> {
  const refuseForeign = createRefuseForeign(people);

  return {
    beginPasskeySignIn: { person: async () => showBegun(await people().beginPasskeySignIn()) },
    signInWithPasskey: {
      async person({ body: { ceremony, credential }, client }) {
        const signedIn = await people().signInWithPasskey({ ceremony, answer: credential }, client);
        if (signedIn.outcome === 'single_sign_on') return refuseSignOn();
        // It is both factors in one: nothing is asked for after it.
        return signedIn.outcome === 'signed_in'
          ? showSignedIn(signedIn)
          : refuseSignIn(signedIn.outcome === 'second_factor' ? { outcome: 'refused' } : signedIn);
      },
    },
    beginPasskeySecondFactor: {
      person: async ({ body: { challenge } }) =>
        showBegun(await people().beginPasskeySecondFactor(challenge)),
    },
    finishSignInWithPasskey: {
      async person({ body: { challenge, ceremony, credential }, client }) {
        const finished = await people().finishSignIn({ challenge, ceremony, answer: credential }, client);
        return finished.outcome === 'signed_in' ? showSignedIn(finished) : refuseSignIn(finished);
      },
    },
    listPasskeys: {
      async person({ session }) {
        const passkeys = await people().listPasskeys(session.userId);
        return { body: { items: passkeys.map(showPasskey) } };
      },
    },
    beginPasskey: {
      async person({ session, client }) {
        await refuseForeign(session);
        const begun = await people().beginPasskey(session, client);
        if (begun.outcome === 'not_fresh') throw notFresh();
        if (begun.outcome === 'too_many') throw tooMany();
        return showBegun(begun);
      },
    },
    addPasskey: {
      async person({ session, body: { ceremony, credential, name = nameDefault }, client }) {
        await refuseForeign(session);
        const added = await people().addPasskey(session, { ceremony, answer: credential, name }, client);
        switch (added.outcome) {
          case 'added': {
            const { passkey, recoveryCodes, session: renewed } = added;
            return {
              body: { passkey: showPasskey(passkey), recoveryCodes: [...recoveryCodes] },
              session: renewed,
            };
          }
          case 'known':
            throw conflict('passkey_known', 'This passkey is somebody’s already.');
          case 'too_many':
            throw tooMany();
          case 'refused':
            throw conflict(
              'passkey_refused',
              'That is no answer to what was asked, or it is too late: begin anew.',
            );
        }
      },
    },
    renamePasskey: {
      async person({ session, ids, body: { name }, client }) {
        await refuseForeign(session);
        const renamed = await people().renamePasskey(session.userId, { id: ids.passkeyId, name }, client);
        if (!renamed) throw notFound();
        return { body: showPasskey(renamed) };
      },
    },
    removePasskey: {
      async person({ session, ids, client }) {
        await refuseForeign(session);
        const removed = await people().removePasskey(session, ids.passkeyId, client);
        if (removed.outcome === 'not_fresh') throw notFresh();
        if (removed.outcome === 'unknown') throw notFound();
        return { body: undefined, session: removed.session };
      },
    },
    beginPasskeyStepUp: {
      person: async ({ session }) => showBegun(await people().beginPasskeyStepUp(session)),
    },
    showPasskey: {
      async person({ session, body: { ceremony, credential }, client }) {
        const shown = await people().stepUp(session, { ceremony, answer: credential }, client);
        return shown.outcome === 'signed_in'
          ? { body: undefined, session: shown.session }
          : refuseSignIn(shown);
      },
    },
  };
}

type Begun = { outcome: 'begun'; ceremony: string; options: object };

function showBegun(begun: Begun | { outcome: 'unavailable' | 'refused' | 'none' }) {
  switch (begun.outcome) {
    case 'begun':
      return { body: { ceremony: begun.ceremony, options: { ...begun.options } } };
    case 'unavailable':
      throw conflict(
        'passkeys_unavailable',
        'Browsers have no passkeys for the address of this installation: PUBLIC_URL has to be https, with the name of a host.',
      );
    case 'none':
      throw conflict('no_passkey', 'They have no passkey.');
    case 'refused':
      return refuseSignIn({ outcome: 'refused' });
  }
}

function tooMany() {
  return conflict('too_many_passkeys', 'They have as many passkeys as anybody may have; remove one first.');
}

function showPasskey({ id, createdAt, lastUsedAt, transports, ...passkey }: OwnPasskey) {
  return {
    ...{ id: toWire('passkey', id), ...passkey },
    createdAt: createdAt.toISOString(),
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
    transports: [...transports],
  };
}
