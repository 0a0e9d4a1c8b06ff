//! `[activity.NAME]`: why data is kept, for the record of processing and the ledger.

use crate::diagnostic::{Code, Finding};

use super::section::{Complaint, Section};

/// The legal basis of a processing activity: GDPR Article 6(1)(a) to (f).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// (a)
    Consent,
    /// (b)
    Contract,
    /// (c)
    LegalObligation,
    /// (d)
    VitalInterests,
    /// (e)
    PublicTask,
    /// (f)
    LegitimateInterests,
}

const BASES: [(&str, Basis); 6] = [
    ("consent", Basis::Consent),
    ("contract", Basis::Contract),
    ("legal-obligation", Basis::LegalObligation),
    ("vital-interests", Basis::VitalInterests),
    ("public-task", Basis::PublicTask),
    ("legitimate-interests", Basis::LegitimateInterests),
];

/// In whose name the activity is carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// In one's own.
    #[default]
    Controller,
    /// In the name of these.
    Processor {
        /// The controllers.
        on_behalf_of: Vec<String>,
    },
}

/// A processing activity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// The name that rules use.
    pub name: String,
    /// What the data is for.
    pub purpose: String,
    /// The legal basis.
    pub basis: Option<Basis>,
    /// The law that demands it: an entry of the catalogue, or words.
    pub law: Option<String>,
    /// Categories of data subjects.
    pub subjects: Vec<String>,
    /// Categories of data.
    pub categories: Vec<String>,
    /// Special categories of data: GDPR Article 9.
    pub special_categories: Vec<String>,
    /// Categories of recipients.
    pub recipients: Vec<String>,
    /// Transfers to third countries, with their safeguards.
    pub transfers: Vec<String>,
    pub processors: Vec<String>,
    /// Security measures.
    pub measures: Vec<String>,
    /// Controller or processor.
    pub role: Role,
    /// The time limit in words, where somebody else deletes.
    pub time_limit: Option<String>,
    /// Where the activity stands in the policy, in bytes.
    pub span: std::ops::Range<usize>,
    /// Where its `law` stands.
    pub law_span: std::ops::Range<usize>,
}

/// Reads every `[activity.NAME]`.
pub(super) fn read_all(whole: &mut Section<'_>) -> Vec<Activity> {
    let mut activities = Vec::new();
    for (name, mut section) in whole.named_sections("activity") {
        activities.push(read(name.value, &mut section, name.span));
        section.finish();
    }
    activities
}

fn read(name: String, section: &mut Section<'_>, span: std::ops::Range<usize>) -> Activity {
    let purpose = section.required("purpose").map(|purpose| purpose.value).unwrap_or_default();
    let basis = section.parsed("basis", parse_basis).map(|basis| basis.value);
    let law = section.text("law");
    let mut list = |key| section.texts(key, true).into_iter().map(|text| text.value).collect::<Vec<_>>();
    let (subjects, categories) = (list("subjects"), list("categories"));
    let (special_categories, recipients) = (list("special-categories"), list("recipients"));
    let (transfers, processors, measures) = (list("transfers"), list("processors"), list("measures"));
    Activity {
        name,
        purpose,
        basis,
        law_span: law.as_ref().map(|law| law.span.clone()).unwrap_or_default(),
        law: law.map(|law| law.value),
        subjects,
        categories,
        special_categories,
        recipients,
        transfers,
        processors,
        measures,
        role: role(section),
        time_limit: section.text("time-limit").map(|limit| limit.value),
        span,
    }
}

fn parse_basis(text: &str) -> Result<Basis, Complaint> {
    let known = BASES.iter().find(|(name, _)| *name == text);
    known.map(|(_, basis)| *basis).ok_or_else(|| {
        let names: Vec<&str> = BASES.iter().map(|(name, _)| *name).collect();
        let help = format!("one of: {}", names.join(", "));
        Complaint::new(Code::BadValue, format!("`{text}` is not a legal basis"), Some(help))
    })
}

fn role(section: &mut Section<'_>) -> Role {
    let on_behalf_of: Vec<String> =
        section.texts("on-behalf-of", true).into_iter().map(|name| name.value).collect();
    let Some(role) = section.text("role") else { return Role::Controller };
    match role.value.as_str() {
        "controller" => Role::Controller,
        "processor" => Role::Processor { on_behalf_of },
        other => {
            let message = format!("`{other}` is not a role");
            let finding = Finding::error(Code::BadValue, message, role.span);
            section.note(finding.help("write \"controller\" or \"processor\""));
            Role::Controller
        }
    }
}
