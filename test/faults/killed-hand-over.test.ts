import { describe, expect, onTestFinished, test } from 'vitest';
import { startTeamsSimulator } from '../../src/simulators/teams/simulator.ts';
import { aDiary, aServiceProcess } from '../support/a-service-process.ts';
import { answersIn, contoso, messagesUrlOf, sharedBot, teamsEnv } from '../support/a-teams-service.ts';
import { anInstallation } from '../support/an-installation.ts';
import { eventually } from '../support/eventually.ts';
import { planPlatformTenant, teamsChannelOf } from '../support/platform-tenants.ts';

/** Somebody has taken a file, Teams has its 200, and the process is gone before anybody knows whether the file is there. */
describe('kill -9 while a file that was taken is on its way', () => {
  test.each([
    ['is not there', false],
    ['is there, and nobody was told', true],
  ])(
    'where it goes it %s: it is handed over, once',
    async (_what, isStored) => {
      const installation = await anInstallation();
      onTestFinished(installation.remove);
      const teams = await startTeamsSimulator();
      onTestFinished(() => teams.close());
      const service = await aServiceProcess(
        {
          ...{ installation, diary: await aDiary(onTestFinished), env: teamsEnv(teams), standIn: teams.url },
          plan: planPlatformTenant({ channels: [teamsChannelOf({ aadTenant: contoso })] }),
          // Two calls of a platform are made within it, on a machine that is very busy, too.
          claimMs: 8_000,
        },
        onTestFinished,
      );
      const { appId } = sharedBot;
      teams.addApp({ ...sharedBot, messagesUrl: messagesUrlOf(service) });
      const ann = { tenant: contoso, user: '29:ann' };
      const { conversation } = await teams.say(appId, { ...ann, text: 'hello' });
      await answersIn(teams, conversation);
      const offer = { channel: 'teams', conversationExternalId: '@29:ann', user: '29:ann' };
      service.offerFile({ ...offer, bytes: 'the report' });
      await answersIn(teams, conversation, 3);
      const [post] = teams.posts(conversation).slice(-1);
      if (!post) throw new Error('Nothing was offered.');

      teams.uploads.fail({ kind: 'silent', isStored });
      expect((await teams.takeFile(appId, ann, post)).status).toBe(200);
      await eventually(() => expect(teams.uploads.asked()).toBe(1));
      expect(teams.uploads.files.size).toBe(isStored ? 1 : 0);
      service.signal('SIGKILL');
      expect(await service.ended()).toBe('SIGKILL');
      await service.restart();

      await eventually(async () => {
        const { deliveries } = await service.rows();
        expect(deliveries.map(({ state }) => state)).toEqual(['sent', 'sent', 'sent']);
      }, 60_000);
      expect(teams.uploads.files.get('report.txt')?.toString()).toBe('the report');
      expect(teams.uploads.asked()).toBe(2);
      const shown = teams.posts(conversation).map(({ activity }) => JSON.stringify(activity));
      expect(shown.filter((activity) => activity.includes('card.file.info'))).toHaveLength(1);
      expect(shown).toHaveLength(4);
      expect(teams.violations).toEqual([]);
      expect(await service.stop()).toBe(0);
    },
    150_000,
  );
});
