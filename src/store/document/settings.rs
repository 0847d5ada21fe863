//! What is set for the whole vault.

use serde::{Deserialize, Serialize};

use crate::duration::DurationText;
use crate::names::ProfileName;
use crate::store::on_login::RotateOnLogin;

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Settings {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_profile: Option<ProfileName>,
    /// Seconds; for GetSessionToken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_duration: Option<u32>,
    /// For profiles that say nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotate_every: Option<DurationText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace: Option<DurationText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotate_on_login: Option<RotateOnLogin>,
    #[serde(default, skip_serializing_if = "AgentSettings::is_empty")]
    pub agent: AgentSettings,
    #[serde(flatten)]
    pub rest: toml::Table,
}

/// How long an agent keeps the vault unlocked between commands.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AgentSettings {
    /// Whether at all; None: yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Seconds without use after which it forgets the vault identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<u32>,
    /// Seconds after which it does so in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// Seconds after which it forgets the session identity; 0: together with the vault identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<u32>,
    #[serde(flatten)]
    pub rest: toml::Table,
}

impl AgentSettings {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
