//! The names that configurations, comments and arguments may use: rules, and the categories that they belong to.

/// A rule, as far as its name goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    /// The rule's name.
    pub rule: &'static str,
    /// The name of its category.
    pub category: &'static str,
    /// Whether the rule is on unless somebody says otherwise.
    pub on: bool,
}

/// All rules.
#[derive(Clone, Debug)]
pub struct Catalog(Vec<Name>);

impl Catalog {
    /// The catalog of these rules.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = Name>) -> Self {
        Self(names.into_iter().collect())
    }

    /// The rule of this name.
    #[must_use]
    pub fn rule(&self, name: &str) -> Option<Name> {
        self.0.iter().copied().find(|it| it.rule == name)
    }

    /// The rules of the category of this name; none if there is no such category.
    pub fn category(&self, name: &str) -> impl Iterator<Item = Name> {
        self.0.iter().copied().filter(move |it| it.category == name)
    }

    /// Whether a rule or a category has this name.
    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        self.rule(name).is_some() || self.category(name).next().is_some()
    }

    /// The message for a name that neither a rule nor a category has, with the nearest one that does.
    #[must_use]
    pub fn unknown(&self, name: &str) -> String {
        let nearest = self
            .0
            .iter()
            .flat_map(|it| [it.rule, it.category])
            .map(|known| (distance(name, known), known))
            .min()
            .filter(|(distance, known)| *distance <= (known.len() / 3).max(2));
        match nearest {
            Some((_, known)) => format!("unknown rule `{name}`; did you mean `{known}`?"),
            None => format!("unknown rule `{name}`; `tagwright rules` lists all rules"),
        }
    }
}

/// The number of characters to insert, delete or replace to get from `a` to `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
