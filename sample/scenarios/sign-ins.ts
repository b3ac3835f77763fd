/** Stories 1, 3 and 6: root at odd hours, a role switched to for minutes, and passwords that are wrong. */
import { runInstances, SHAPES, updatedFunction } from '../apis.ts';
import { isoSeconds, MINUTE } from '../calendar.ts';
import { onBehalf, rootSession, type Session } from '../callers.ts';
import { idOf, JONAS, MARIA } from '../organization.ts';
import { failedRootSignIn, forgetfulUser, promoCode, ROOT_ACCOUNT, roleSwitch, rootLookAlike, rootSignIns, signInBurst } from '../scenario-facts.ts';
import { type Plot, spread, tell } from './stage.ts';

/** At the sign-in page nobody has credentials yet, so the identity is shorter. */
function signIn(outcome: 'Success' | 'Failure', mfa: boolean) {
  return {
    response: { ConsoleLogin: outcome },
    additional: {
      LoginTo: 'https://console.aws.amazon.com/console/home?hashArgs=%23&isauthcode=true&nc2=h_ct&src=header-signin',
      MobileVersion: 'No',
      MFAUsed: mfa ? 'Yes' : 'No',
    },
    host: 'signin.aws.amazon.com',
    isReadOnly: false,
    ...(outcome === 'Failure' ? { errorMessage: 'Failed authentication' } : {}),
  };
}

function atTheDoor(account: string, ip: string, agent: string, who: Readonly<Record<string, unknown>>): Session {
  return { account, ip, agent, identity: { ...who, accountId: account, accessKeyId: '' } };
}
const root = (ip: string) =>
  atTheDoor(ROOT_ACCOUNT, ip, MARIA.browser, { type: 'Root', principalId: ROOT_ACCOUNT, arn: `arn:aws:iam::${ROOT_ACCOUNT}:root` });
const user = (account: string, userName: string, ip: string, agent = JONAS.browser) =>
  atTheDoor(
    account,
    ip,
    agent,
    userName.startsWith('HIDDEN')
      ? { type: 'IAMUser', userName }
      : { type: 'IAMUser', principalId: idOf('AIDA', `${account}/${userName}`), arn: `arn:aws:iam::${account}:user/${userName}`, userName },
  );

export const rootAtOddHours: Plot = (stage) => {
  const { event, random, scene } = tell('root', stage);
  const end = new Date(stage.end);
  const signIns = rootSignIns(end).flatMap(({ at, ip, mfa }) => {
    const session = rootSession(ROOT_ACCOUNT, Number(at), random, { ip, agent: MARIA.browser, mfa });
    const reads = ['iam:GetAccountSummary', 'health:DescribeEventAggregates', 'ce:GetCostAndUsage', 'iam:ListAccessKeys'];
    return [
      event(at, root(ip), 'signin:ConsoleLogin', signIn('Success', mfa)),
      ...reads.map((api, n) => {
        const when = Number(at) + 20_000 + n * 31_000;
        return event(when, session, api, SHAPES[api]?.(scene(when, session)) ?? {});
      }),
    ];
  });

  const promo = promoCode(end);
  const spender = rootSession(ROOT_ACCOUNT, Number(promo.at) - 4 * MINUTE, random, { ip: '203.0.113.5', agent: MARIA.browser, mfa: true });
  const failed = failedRootSignIn(end);
  const fake = rootLookAlike(end);
  const group = onBehalf(
    rootSession(fake.account, Number(fake.at), random, { ip: fake.invokedBy, agent: fake.invokedBy, mfa: false }),
    fake.invokedBy,
  );
  return [
    ...signIns,
    event(promo.at, spender, 'billingconsole:RedeemPromoCode', {
      request: { promoCode: promo.code },
      response: { status: 'SUCCESS' },
      eventType: 'AwsConsoleAction',
    }),
    event(failed.at, root(failed.ip), 'signin:ConsoleLogin', signIn('Failure', false)),
    event(
      fake.at,
      group,
      'ec2:RunInstances',
      runInstances(scene(fake.at, group), { instances: [fake.instance], type: 't3.large', tags: { 'aws:autoscaling:groupName': 'web-asg' } }),
    ),
  ];
};

export const switchedRole: Plot = (stage) => {
  const { event, person, random, scene } = tell('role switch', stage);
  const switched = roleSwitch(new Date(stage.end));
  const base = person(switched.by, switched.account, switched.at);
  const principal = idOf('AROA', `${switched.account}/${switched.role}`);
  const identity = {
    type: 'AssumedRole',
    principalId: `${principal}:${switched.by}`,
    arn: `arn:aws:sts::${switched.account}:assumed-role/${switched.role}/${switched.by}`,
    accountId: switched.account,
  };
  const credentials = {
    accessKeyId: `ASIA${random.upper(16)}`,
    sessionContext: {
      sessionIssuer: {
        type: 'Role',
        principalId: principal,
        arn: `arn:aws:iam::${switched.account}:role/${switched.role}`,
        accountId: switched.account,
        userName: switched.role,
      },
      attributes: { creationDate: isoSeconds(Number(switched.at)), mfaAuthenticated: 'false' },
    },
  };
  const session: Session = { ...base, identity: { ...identity, ...credentials } };
  const door: Session = { ...base, identity };
  const from = `arn:aws:sts::${switched.from}:assumed-role/${String(person(switched.by, switched.from, switched.at).identity.arn).split('/')[1]}/${switched.by}`;
  const change = (response: object) => ({
    response,
    additional: { SwitchFrom: from, RedirectTo: 'https://eu-central-1.console.aws.amazon.com/lambda/home?region=eu-central-1' },
    host: 'signin.aws.amazon.com',
    isReadOnly: false,
  });

  const work = switched.calls.map((name, n) => {
    const at = Number(switched.at) + 14_000 + n * 24_500;
    const api = `${name.includes('RolePolicy') ? 'iam' : name.includes('Log') ? 'logs' : 'lambda'}:${name}`;
    if (name === 'PutRolePolicy') {
      return event(at, session, api, {
        request: {
          roleName: switched.roleEdited,
          policyName: 'hotfix',
          policyDocument: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}]}',
        },
      });
    }
    if (name.startsWith('Update')) return event(at, session, api, updatedFunction(scene(at, session), switched.functionName));
    return event(at, session, api, SHAPES[api]?.(scene(at, session)) ?? {});
  });
  return [
    event(switched.at, door, 'signin:SwitchRole', change({ SwitchRole: 'Success' })),
    ...work,
    event(switched.until, door, 'signin:ExitRole', change({ ExitRole: 'Success' })),
  ];
};

export const wrongPasswords: Plot = (stage) => {
  const { event, random } = tell('wrong passwords', stage);
  const end = new Date(stage.end);
  const burst = signInBurst(end);
  const guesses = spread(burst.count, burst.from, burst.until, random).map((at) => {
    const name = random.pick(burst.users);
    const unknown = name.startsWith('HIDDEN') ? { errorMessage: 'No username found in supplied account' } : {};
    return event(at, user(burst.account, name, burst.ip, 'Go-http-client/1.1'), 'signin:ConsoleLogin', { ...signIn('Failure', false), ...unknown });
  });
  const typist = forgetfulUser(end);
  const attempt = (at: Date, outcome: 'Success' | 'Failure') =>
    event(at, user(typist.account, typist.user, typist.ip), 'signin:ConsoleLogin', signIn(outcome, true));
  return [...guesses, ...typist.failures.map((at) => attempt(at, 'Failure')), attempt(typist.success, 'Success')];
};
