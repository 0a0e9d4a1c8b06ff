//! A condition as a tree, every name resolved to the index of its column.

use std::cmp::Ordering;

use super::Equal;
use super::like::Pattern;
use super::number::Number;

/// A condition or a part of one.
#[derive(Clone, Debug)]
pub(super) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Test(Operand, Test),
}

impl Node {
    /// The value that a column must have, where that is all that is asked.
    pub(super) fn required(&self) -> Option<(usize, Equal<'_>)> {
        match self {
            Node::Test(Operand::Column(column), Test::Compare(Relation::Equal, literal)) => {
                let equal = match literal {
                    Literal::Number(Number::Integer(number) | Number::Whole(number)) => {
                        Equal::Integer(*number)
                    }
                    Literal::Number(Number::Real(_)) => return None,
                    Literal::Text(text) => Equal::Text(text),
                };
                Some((*column, equal))
            }
            _ => None,
        }
    }
}

/// What is asked of one operand.
#[derive(Clone, Debug)]
pub(super) enum Test {
    IsNull,
    Compare(Relation, Literal),
    In(Vec<Literal>),
    Between(Literal, Literal),
    Like(Pattern),
}

/// A column or a function of one.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    Column(usize),
    Call(Function, Box<Operand>),
    /// The first that is not null. There are columns before any literal.
    Coalesce(Vec<Choice>),
}

/// An argument of `coalesce`.
#[derive(Clone, Debug)]
pub(super) enum Choice {
    Operand(Operand),
    Literal(Literal),
}

/// A function of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Lower,
    Upper,
    Trim,
    Length,
}

/// A value written in the condition.
#[derive(Clone, Debug)]
pub(super) enum Literal {
    Number(Number),
    Text(String),
}

impl Literal {
    /// How two literals of one type stand to each other; there is no order between types.
    pub(super) fn ordering_to(&self, other: &Literal) -> Option<Ordering> {
        match (self, other) {
            (Literal::Number(left), Literal::Number(right)) => right.ordering_of(left.value()),
            (Literal::Text(left), Literal::Text(right)) => Some(left.cmp(right)),
            _ => None,
        }
    }
}

/// How a value stands to a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Relation {
    pub(super) fn holds(self, ordering: Ordering) -> bool {
        match self {
            Relation::Equal => ordering.is_eq(),
            Relation::NotEqual => ordering.is_ne(),
            Relation::Less => ordering.is_lt(),
            Relation::LessOrEqual => ordering.is_le(),
            Relation::Greater => ordering.is_gt(),
            Relation::GreaterOrEqual => ordering.is_ge(),
        }
    }

    /// The same relation with its sides exchanged.
    pub(super) fn flipped(self) -> Relation {
        match self {
            Relation::Less => Relation::Greater,
            Relation::LessOrEqual => Relation::GreaterOrEqual,
            Relation::Greater => Relation::Less,
            Relation::GreaterOrEqual => Relation::LessOrEqual,
            symmetric => symmetric,
        }
    }
}
