//! The sides of a comparison: columns, functions of them, and literals.

use std::ops::Range;

use super::super::lex::{Keyword, Kind, Token};
use super::super::number::Number;
use super::super::tree::{Choice, Function, Literal, Operand};
use super::{Parsed, Parser, fault};

/// Something that was read, and where.
pub(super) struct Spanned<T> {
    pub(super) it: T,
    pub(super) span: Range<usize>,
}

/// One side of a comparison.
pub(super) enum Term {
    Operand(Operand),
    Literal(Literal),
}

/// What a name before a parenthesis stands for.
#[derive(Clone, Copy)]
enum Callable {
    Function(Function),
    Coalesce,
}

const CALLABLES: [(&str, Callable); 5] = [
    ("lower", Callable::Function(Function::Lower)),
    ("upper", Callable::Function(Function::Upper)),
    ("trim", Callable::Function(Function::Trim)),
    ("length", Callable::Function(Function::Length)),
    ("coalesce", Callable::Coalesce),
];

/// The names of all functions.
pub(super) fn functions() -> impl Iterator<Item = &'static str> {
    CALLABLES.iter().map(|(name, _)| *name)
}

impl<'t> Parser<'t> {
    pub(super) fn term(&mut self) -> Parsed<Spanned<Term>> {
        let token = self.take();
        let span = token.span.clone();
        match token.kind {
            Kind::Text(text) => Ok(Spanned { it: Term::Literal(Literal::Text(text)), span }),
            Kind::Number(written) => number(written, span),
            Kind::Name(name) if self.peek().kind == Kind::Open => self.call(name, span),
            Kind::Name(name) => Ok(self.column(name.into(), span)),
            Kind::Quoted(name) => Ok(self.column(name, span)),
            Kind::Keyword(Keyword::Null) => Err(fault::null(span)),
            Kind::Keyword(Keyword::True) => Err(fault::boolean(self.text, span, 1)),
            Kind::Keyword(Keyword::False) => Err(fault::boolean(self.text, span, 0)),
            _ => Err(fault::no_term(self.text, &token)),
        }
    }

    /// A side that has to be a column or a function of one.
    pub(super) fn operand_of(&self, term: Spanned<Term>) -> Parsed<Operand> {
        match term.it {
            Term::Operand(operand) => Ok(operand),
            Term::Literal(_) => Err(fault::literal_for_column(self.text, term.span)),
        }
    }

    /// A side that has to be a literal.
    pub(super) fn literal(&mut self) -> Parsed<Spanned<Literal>> {
        let Spanned { it, span } = self.term()?;
        match it {
            Term::Literal(it) => Ok(Spanned { it, span }),
            Term::Operand(_) => Err(fault::column_for_literal(self.text, span)),
        }
    }

    fn column(&mut self, name: String, span: Range<usize>) -> Spanned<Term> {
        let known = self.columns.iter().position(|column| *column == name);
        let index = known.unwrap_or_else(|| {
            self.columns.push(name);
            self.columns.len() - 1
        });
        Spanned { it: Term::Operand(Operand::Column(index)), span }
    }

    fn call(&mut self, name: &'t str, span: Range<usize>) -> Parsed<Spanned<Term>> {
        let callable = CALLABLES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
        let Some((_, callable)) = callable else {
            return Err(fault::no_function(name, span));
        };
        let open = self.take();
        let arguments = self.deeper(span.clone(), |parser| parser.arguments(open))?;
        let span = span.start..self.tokens[self.next - 1].span.end;
        let operand = match callable {
            Callable::Function(function) => self.function(*function, arguments, span.clone())?,
            Callable::Coalesce => self.coalesce(arguments, span.clone())?,
        };
        Ok(Spanned { it: Term::Operand(operand), span })
    }

    /// The arguments and the parenthesis behind them.
    fn arguments(&mut self, open: Token<'t>) -> Parsed<Vec<Spanned<Term>>> {
        if self.take_if(&Kind::Close) {
            return Ok(Vec::new());
        }
        let mut arguments = vec![self.term()?];
        while self.take_if(&Kind::Comma) {
            arguments.push(self.term()?);
        }
        self.close(open.span, fault::no_item_end)?;
        Ok(arguments)
    }

    fn function(
        &self,
        function: Function,
        arguments: Vec<Spanned<Term>>,
        span: Range<usize>,
    ) -> Parsed<Operand> {
        match <[Spanned<Term>; 1]>::try_from(arguments) {
            Ok([argument]) => Ok(Operand::Call(function, Box::new(self.operand_of(argument)?))),
            Err(_) => Err(fault::one_argument(self.text, span)),
        }
    }

    /// Its first argument is a column, so that every reading has one to name.
    fn coalesce(&self, arguments: Vec<Spanned<Term>>, span: Range<usize>) -> Parsed<Operand> {
        if arguments.len() < 2 {
            return Err(fault::two_arguments(self.text, span));
        }
        let mut arguments = arguments.into_iter();
        let first = arguments.next().map(|argument| self.operand_of(argument)).transpose()?;
        let first = first.map(Choice::Operand);
        Ok(Operand::Coalesce(
            first.into_iter().chain(arguments.map(|argument| choice(argument.it))).collect(),
        ))
    }
}

fn choice(term: Term) -> Choice {
    match term {
        Term::Operand(operand) => Choice::Operand(operand),
        Term::Literal(literal) => Choice::Literal(literal),
    }
}

fn number(written: &str, span: Range<usize>) -> Parsed<Spanned<Term>> {
    match Number::parse(written) {
        Ok(number) => Ok(Spanned { it: Term::Literal(Literal::Number(number)), span }),
        Err(error) => Err(fault::number(error, written, span)),
    }
}
