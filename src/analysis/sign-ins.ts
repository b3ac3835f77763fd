/**
 * Sign-ins of people: to the console, and to the portal of IAM Identity Center, which tells one in several events (IAM
 * Identity Center User Guide, "Understanding IAM Identity Center sign-in events"). WorkSpaces tells its own in the same.
 */
import { eventColumns, eventsDuring } from '../trail/events.ts';
import { join, raw, type Sql, sql } from '../trail/sql.ts';
import type { TimeRange } from '../trail/time-window.ts';

const columnsWith = (changed: Readonly<Record<string, Sql>>): Sql =>
  join(
    eventColumns.map((name) => changed[name] ?? raw(name)),
    ', ',
  );

/** What was typed when a sign-in at the portal began is who it is, in all of its events: a refused password has no other name. */
const columnsNamed = columnsWith({
  actor: sql`coalesce(typed, actor) as actor`,
  actorkind: sql`case when typed is not null then 'human' else actorkind end as actorkind`,
  actorbasis: sql`case when typed is not null then 'identity-center' else actorbasis end as actorbasis`,
  names: sql`coalesce(chr(10) || typed, '') || names as names`,
});

/** What filters ask of a sign-in: the second factor that it tells of, and its reason, for nothing at these pages has an errorCode. */
const columnsTold = columnsWith({
  mfaauthenticated: sql`case mfa when 'yes' then 'true' when 'no' then 'false' else 'unknown' end as mfaauthenticated`,
  errorcode: sql`case when outcome <> 'ok' then coalesce(errorcode, errormessage, credentials || ' not accepted') end as errorcode`,
});

const SAID = sql`lower(json_extract_scalar(additionaleventdata, '$.MFAUsed'))`;

/**
 * What a sign-in tells of a second factor, where `credentials` is what Identity Center verified. Of whoever signs in
 * elsewhere, CloudTrail says that none was used, for AWS saw none; but what Identity Center verified by itself is known.
 */
export const mfaColumn = (credentials: Sql): Sql => sql`case
    when eventname = 'CredentialVerification' then 'unknown'
    when ${SAID} = 'yes' or regexp_like(${credentials}, ',|TOTP|WEBAUTHN|SMARTCARD') then 'yes'
    when ${credentials} in ('PASSWORD', 'EMAIL_OTP') then 'no'
    when ${credentials} = 'EXTERNAL_IDP' then 'unknown, at the identity provider'
    when eventname = 'ConsoleLogin' and identitytype not in ('IAMUser', 'Root') then 'unknown, at the identity provider'
    when ${SAID} = 'no' then 'no'
    else 'unknown'
  end`;

/**
 * The sign-ins of `range`, each once: the columns of `events`, `credentials`, what Identity Center verified, as in
 * PASSWORD,TOTP, and `mfa`, in words. A sign-in at the portal that leads to the console is told as the sign-in to the
 * console, with what the portal verified. `errorcode` is why it failed, and `mfaauthenticated` what it tells by itself:
 * true, false or unknown.
 */
export function signInsDuring(range: TimeRange): Sql {
  return sql`(
    select ${columnsTold}, credentials, mfa
    from (
      select *, ${mfaColumn(raw('credentials'))} as mfa
      from (
        select *, case when step = 'console' then substr(vouched, 22) else verified end as credentials
        from (
          -- Within a second, the portal comes before the console that it leads to.
          select *,
            lead(step) over (partition by lower(actor), sourceipaddress, step = 'other' order by eventtime, step desc, eventid) as following,
            max(case when step = 'portal' then eventtime || ' ' || verified end) over (
              partition by lower(actor), sourceipaddress, step = 'other' order by eventtime, step desc, eventid
              rows between unbounded preceding and current row) as vouched
          from (
            select ${columnsNamed}, verified,
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
                from ${eventsDuring(range)}
                where eventsource = 'signin.amazonaws.com'
                  and eventname in ('ConsoleLogin', 'CredentialChallenge', 'CredentialVerification', 'UserAuthentication')
              ) as told
            ) as begun
            where eventname <> 'CredentialChallenge' and (eventname <> 'CredentialVerification' or outcome <> 'ok')
          ) as stepped
        ) as followed
        where step <> 'portal' or coalesce(following, '') <> 'console'
      ) as credited
    ) as factored
  )`;
}
