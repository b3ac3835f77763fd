/**
 * Sign-ins to the console and to the IAM Identity Center portal, which logs several events for one sign-in (IAM Identity Center
 * User Guide, "Understanding IAM Identity Center sign-in events"). WorkSpaces logs its sign-ins the same way.
 */
import { isSignInEvent } from '../trail/activity.ts';
import { eventColumns, eventsDuring, UNKNOWN_USER } from '../trail/events.ts';
import { join, raw, type Sql, sql } from '../trail/sql.ts';
import type { TimeRange } from '../trail/time-window.ts';

const columnsWith = (changed: Readonly<Record<string, Sql>>): Sql =>
  join(
    eventColumns.map((name) => changed[name] ?? raw(name)),
    ', ',
  );

/**
 * The user name typed at the portal is the actor of all events of that sign-in: the event of a wrong password has no other name. A
 * name that does not exist is hidden.
 */
const byTypedName = (known: string, hidden: string, otherwise: string): Sql =>
  raw(
    `case when typed = 'HIDDEN_DUE_TO_SECURITY_REASONS' then '${hidden}' when typed is not null then ${known} else ${otherwise} end as ${otherwise}`,
  );
const columnsWithTypedName = columnsWith({
  actor: byTypedName('typed', UNKNOWN_USER, 'actor'),
  actorkind: byTypedName(`'human'`, 'anonymous', 'actorkind'),
  actorbasis: byTypedName(`'identity-center'`, 'unknown-user', 'actorbasis'),
  names: sql`coalesce(chr(10) || typed, '') || names as names`,
});

/** The columns that filters `mfa:` and `error:` compare. The sign-in pages log no errorCode, so the reason comes from other fields. */
const columnsWithMfa = columnsWith({
  mfaauthenticated: sql`case mfa when 'yes' then 'true' when 'no' then 'false' else 'unknown' end as mfaauthenticated`,
  errorcode: sql`case when outcome <> 'ok' then coalesce(errorcode, errormessage, credentials || ' not accepted') end as errorcode`,
});

const MFA_USED = sql`lower(json_extract_scalar(additionaleventdata, '$.MFAUsed'))`;

/**
 * Whether a sign-in used a second factor: yes, no or unknown. `credentials` is what Identity Center verified. For a sign-in at an
 * external identity provider CloudTrail says MFAUsed "No", because AWS did not see a second factor: that counts as unknown.
 */
export const mfaColumn = (credentials: Sql): Sql => sql`case
    when eventname = 'CredentialVerification' then 'unknown'
    when ${MFA_USED} = 'yes' or regexp_like(${credentials}, ',|TOTP|WEBAUTHN|SMARTCARD') then 'yes'
    when ${credentials} in ('PASSWORD', 'EMAIL_OTP') then 'no'
    when ${credentials} = 'EXTERNAL_IDP' then 'unknown, at the identity provider'
    when eventname = 'ConsoleLogin' and identitytype not in ('IAMUser', 'Root') then 'unknown, at the identity provider'
    when ${MFA_USED} = 'no' then 'no'
    else 'unknown'
  end`;

/**
 * The sign-ins of `range`, each once: the columns of `events`; `credentials`, what Identity Center verified, such as
 * PASSWORD,TOTP; and `mfa`, the result of `mfaColumn`. A portal sign-in that leads to the console is one row: the console's, with
 * the portal's credentials. `errorcode` is the reason of a failure, and `mfaauthenticated` is `mfa` as true, false or unknown.
 */
export function signInsDuring(range: TimeRange): Sql {
  return sql`(
    select ${columnsWithMfa}, credentials, mfa
    from (
      select *, ${mfaColumn(raw('credentials'))} as mfa
      from (
        select *, case when step = 'console' then substr(vouched, 22) else verified end as credentials
        from (
          -- Within the same second, the portal sorts before the console.
          select *,
            lead(step) over (partition by lower(actor), sourceipaddress, step = 'other' order by eventtime, step desc, eventid) as following,
            max(case when step = 'portal' then eventtime || ' ' || verified end) over (
              partition by lower(actor), sourceipaddress, step = 'other' order by eventtime, step desc, eventid
              rows between unbounded preceding and current row) as vouched
          from (
            select ${columnsWithTypedName}, verified,
              case
                when outcome = 'ok' and eventname = 'UserAuthentication' then 'portal'
                when outcome = 'ok' and eventname = 'ConsoleLogin' and actorbasis = 'identity-center' then 'console'
                else 'other'
              end as step
            from (
              select *,
                json_extract_scalar(additionaleventdata, '$.CredentialType') as verified,
                case when workflow is not null then max(json_extract_scalar(additionaleventdata, '$.UserName')) over (partition by workflow) end as typed
              from (
                select *, json_extract_scalar(additionaleventdata, '$.AuthWorkflowID') as workflow
                from ${eventsDuring(range, { notable: true })}
                where ${isSignInEvent}
              ) as steps
            ) as workflows
            where eventname <> 'CredentialChallenge' and (eventname <> 'CredentialVerification' or outcome <> 'ok')
          ) as stepped
        ) as followed
        where step <> 'portal' or coalesce(following, '') <> 'console'
      ) as credited
    ) as factored
  )`;
}

/** AWS ends a console session after 12 hours at the latest. */
export const CONSOLE_SESSION_MS = 12 * 3_600_000;
