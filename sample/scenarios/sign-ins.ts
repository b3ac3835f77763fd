/** Scenarios 1, 3 and 6: root sign-ins at night, a role used for minutes, and failed sign-ins. */
import { API_CONTENTS, runInstances, updatedFunction } from '../apis.ts';
import { isoSeconds, MINUTE } from '../calendar.ts';
import { type CallerSession, onBehalf, rootSession } from '../callers.ts';
import { JONAS, MARIA, uniqueId } from '../organization.ts';
import {
  failedRootSignIn,
  mistypedPassword,
  promoCode,
  ROOT_ACCOUNT,
  roleSwitch,
  rootLookAlike,
  rootSignIns,
  signInBurst,
} from '../scenario-facts.ts';
import { type Scenario, scenarioTools, spread } from './scenario.ts';

function signInContent(outcome: 'Success' | 'Failure', mfa: boolean) {
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

/** At the sign-in page the caller has no credentials yet, so the identity has fewer fields. */
function signInPageSession(account: string, ip: string, agent: string, who: Readonly<Record<string, unknown>>): CallerSession {
  return { account, ip, agent, identity: { ...who, accountId: account, accessKeyId: '' } };
}
const rootAtSignIn = (ip: string) =>
  signInPageSession(ROOT_ACCOUNT, ip, MARIA.browser, { type: 'Root', principalId: ROOT_ACCOUNT, arn: `arn:aws:iam::${ROOT_ACCOUNT}:root` });
const userAtSignIn = (account: string, userName: string, ip: string, agent = JONAS.browser) =>
  signInPageSession(
    account,
    ip,
    agent,
    userName.startsWith('HIDDEN')
      ? { type: 'IAMUser', userName }
      : { type: 'IAMUser', principalId: uniqueId('AIDA', `${account}/${userName}`), arn: `arn:aws:iam::${account}:user/${userName}`, userName },
  );

export const rootScenario: Scenario = (span) => {
  const { event, random, context } = scenarioTools('root', span);
  const end = new Date(span.end);
  const signIns = rootSignIns(end).flatMap(({ at, ip, mfa }) => {
    const session = rootSession(ROOT_ACCOUNT, Number(at), random, { ip, agent: MARIA.browser, mfa });
    const reads = ['iam:GetAccountSummary', 'health:DescribeEventAggregates', 'ce:GetCostAndUsage', 'iam:ListAccessKeys'];
    return [
      event(at, rootAtSignIn(ip), 'signin:ConsoleLogin', signInContent('Success', mfa)),
      ...reads.map((api, n) => {
        const when = Number(at) + 20_000 + n * 31_000;
        return event(when, session, api, API_CONTENTS[api]?.(context(when, session)) ?? {});
      }),
    ];
  });

  const promo = promoCode(end);
  const promoSession = rootSession(ROOT_ACCOUNT, Number(promo.at) - 4 * MINUTE, random, { ip: '203.0.113.5', agent: MARIA.browser, mfa: true });
  const failed = failedRootSignIn(end);
  const lookAlike = rootLookAlike(end);
  const group = onBehalf(
    rootSession(lookAlike.account, Number(lookAlike.at), random, { ip: lookAlike.invokedBy, agent: lookAlike.invokedBy, mfa: false }),
    lookAlike.invokedBy,
  );
  return [
    ...signIns,
    event(promo.at, promoSession, 'billingconsole:RedeemPromoCode', {
      request: { promoCode: promo.code },
      response: { status: 'SUCCESS' },
      eventType: 'AwsConsoleAction',
    }),
    event(failed.at, rootAtSignIn(failed.ip), 'signin:ConsoleLogin', signInContent('Failure', false)),
    event(
      lookAlike.at,
      group,
      'ec2:RunInstances',
      runInstances(context(lookAlike.at, group), {
        instances: [lookAlike.instance],
        type: 't3.large',
        tags: { 'aws:autoscaling:groupName': 'web-asg' },
      }),
    ),
  ];
};

export const roleSwitchScenario: Scenario = (span) => {
  const { event, person, random, context } = scenarioTools('role switch', span);
  const switched = roleSwitch(new Date(span.end));
  const base = person(switched.by, switched.account, switched.at);
  const principal = uniqueId('AROA', `${switched.account}/${switched.role}`);
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
  const session: CallerSession = { ...base, identity: { ...identity, ...credentials } };
  const switching: CallerSession = { ...base, identity };
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
    if (name.startsWith('Update')) return event(at, session, api, updatedFunction(context(at, session), switched.functionName));
    return event(at, session, api, API_CONTENTS[api]?.(context(at, session)) ?? {});
  });
  return [
    event(switched.at, switching, 'signin:SwitchRole', change({ SwitchRole: 'Success' })),
    ...work,
    event(switched.until, switching, 'signin:ExitRole', change({ ExitRole: 'Success' })),
  ];
};

export const failedSignInScenario: Scenario = (span) => {
  const { event, random } = scenarioTools('wrong passwords', span);
  const end = new Date(span.end);
  const burst = signInBurst(end);
  const guesses = spread(burst.count, burst.from, burst.until, random).map((at) => {
    const name = random.pick(burst.users);
    const unknown = name.startsWith('HIDDEN') ? { errorMessage: 'No username found in supplied account' } : {};
    return event(at, userAtSignIn(burst.account, name, burst.ip, 'Go-http-client/1.1'), 'signin:ConsoleLogin', {
      ...signInContent('Failure', false),
      ...unknown,
    });
  });
  const typist = mistypedPassword(end);
  const attempt = (at: Date, outcome: 'Success' | 'Failure') =>
    event(at, userAtSignIn(typist.account, typist.user, typist.ip), 'signin:ConsoleLogin', signInContent(outcome, true));
  return [...guesses, ...typist.failures.map((at) => attempt(at, 'Failure')), attempt(typist.success, 'Success')];
};
