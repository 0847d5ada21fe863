//! What happens in a rotation, and what is noticed on its way, as it happens.

use crate::aws::LastUse;
use crate::cli::escape::escape;
use crate::cli::report::point_in_time::{second, time_of_day};
use crate::cli::world::World;
use crate::names::{AccessKeyId, ProfileName};
use crate::rotate::plan::State;
use crate::rotate::run::{News, Rotation};

pub fn rotation_news(world: &World, profile: &ProfileName, news: &News) {
    let words = match news {
        News::UseUnknown { key } => return use_unknown(world, profile, key),
        News::Created { new } => format!("new key {} is made and saved", new.short()),
        News::Adopted { new } => {
            format!("new key {} is saved in a file beside the vault; going on with it", new.short())
        }
        News::Proving { key } => format!("trying {} until it works everywhere ...", key.short()),
        News::Replaced { old, new } => {
            format!("{} is in use from now on, in the place of {}", new.short(), old.short())
        }
        News::SwitchedOff { key } => format!("{} is switched off", key.short()),
        News::SwitchedOn { key } => format!("{} is switched on again", key.short()),
        News::Deleted { key } => format!("{} is deleted", key.short()),
        News::Gone { key } => format!("somebody deleted {}; the vault forgets it", key.short()),
        News::ListAwaited { until } => {
            format!("waiting until {} for AWS's list of keys to show all that was made ...", time_of_day(*until))
        }
        News::Refused => {
            "AWS does not take the key, which is asked of it again for a minute: a new one takes so long to be \
                          known everywhere ..."
                .to_owned()
        }
        News::ReplyLost => "AWS's answer was lost; its list will show whether a key was made".to_owned(),
    };
    world.say(&format!("{profile}: {words}"));
}

/// Whether somebody else would miss the key can't be known then.
fn use_unknown(world: &World, profile: &ProfileName, key: &AccessKeyId) {
    world.warn(&format!(
        "{profile}: use unknown: AWS does not let the user ask when {} was last used (iam:GetAccessKeyLastUsed)",
        key.short()
    ));
    world.hint(&format!("the policy `vault policy show self-rotate-with-mfa --profile {profile}` allows it"));
}

/// By calls that may be ours and may be anybody's.
pub fn strange_use(world: &World, profile: &ProfileName, key: &AccessKeyId, last: &LastUse) {
    world.warn(&format!(
        "{profile}: {} was last used {} by {} in {}, and this machine's log has no call by it near that time: another machine \
         with this vault, or somebody else",
        key.short(),
        second(last.at),
        escape(&last.service),
        escape(&last.region)
    ));
}

/// A key that may be the one whose making was never answered.
pub fn orphan(world: &World, rotation: &Rotation, key: &AccessKeyId) {
    let made = rotation.keys.iter().find(|listed| listed.id == *key).map(|listed| second(listed.created));
    let made = made.map(|made| format!(", made {made}")).unwrap_or_default();
    let sent = match rotation.state() {
        Some(State::Intended { since }) => format!(" when this program asked for one at {}", second(*since)),
        _ => String::new(),
    };
    world.warn(&format!(
        "{}: {}{made} and never used (AWS may tell a use hours late), very likely is the key that AWS made{sent}; its secret is \
         lost",
        rotation.profile,
        key.short(),
    ));
}
