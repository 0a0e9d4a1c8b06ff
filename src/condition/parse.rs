//! From the words of a condition to its tree, by recursive descent.

mod fault;
mod term;

use std::cmp::Ordering;
use std::ops::Range;

use super::lex::{self, Keyword, Kind, Token};
use super::like::Pattern;
use super::tree::{Literal, Node, Operand, Relation, Test};
use super::{Condition, SyntaxError};
use term::{Spanned, Term};

/// More is no condition that anyone reads, and would only cost memory.
const LONGEST: usize = 65_536;

/// Groups, `not` and functions within each other; what bounds the stack.
const DEEPEST: usize = 64;

type Parsed<T> = Result<T, SyntaxError>;

pub(super) fn condition(text: &str) -> Parsed<Condition> {
    if text.len() > LONGEST {
        return Err(fault::too_long(text.len()));
    }
    let mut parser = Parser::new(text)?;
    if parser.peek().kind == Kind::End {
        return Err(fault::empty(text));
    }
    let root = parser.disjunction()?;
    match parser.peek().kind {
        Kind::End => Ok(Condition { text: text.into(), columns: parser.columns, root }),
        _ => Err(fault::no_end(text, parser.peek())),
    }
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token<'t>>,
    next: usize,
    depth: usize,
    columns: Vec<String>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Parsed<Parser<'t>> {
        let tokens = lex::tokens(text)?;
        Ok(Parser { text, tokens, next: 0, depth: 0, columns: Vec::new() })
    }

    fn peek(&self) -> &Token<'t> {
        &self.tokens[self.next]
    }

    /// The next token. The end is never passed, however often it is taken.
    fn take(&mut self) -> Token<'t> {
        let token = self.peek().clone();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    fn take_if(&mut self, kind: &Kind<'_>) -> bool {
        let found = self.peek().kind == *kind;
        if found {
            self.next += 1;
        }
        found
    }

    fn take_keyword(&mut self, keyword: Keyword) -> bool {
        self.take_if(&Kind::Keyword(keyword))
    }

    /// Whatever contains itself goes through here, so that the depth is bounded.
    fn deeper<T>(&mut self, span: Range<usize>, inside: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == DEEPEST {
            return Err(fault::too_deep(span));
        }
        self.depth += 1;
        let parsed = inside(self);
        self.depth -= 1;
        parsed
    }

    fn disjunction(&mut self) -> Parsed<Node> {
        let mut parts = vec![self.conjunction()?];
        while self.take_keyword(Keyword::Or) {
            parts.push(self.conjunction()?);
        }
        Ok(joined(parts, Node::Any))
    }

    fn conjunction(&mut self) -> Parsed<Node> {
        let mut parts = vec![self.negation()?];
        while self.take_keyword(Keyword::And) {
            parts.push(self.negation()?);
        }
        Ok(joined(parts, Node::All))
    }

    fn negation(&mut self) -> Parsed<Node> {
        let span = self.peek().span.clone();
        if self.take_keyword(Keyword::Not) {
            self.deeper(span, Parser::negation).map(negated)
        } else if self.take_if(&Kind::Open) {
            self.deeper(span.clone(), |parser| parser.group(span))
        } else {
            self.test()
        }
    }

    fn group(&mut self, open: Range<usize>) -> Parsed<Node> {
        let node = self.disjunction()?;
        self.close(open, fault::no_group_end)?;
        Ok(node)
    }

    fn close(&mut self, open: Range<usize>, other: fn(&str, &Token<'_>) -> SyntaxError) -> Parsed<()> {
        if self.take_if(&Kind::Close) {
            return Ok(());
        }
        match self.peek().kind {
            Kind::End => Err(fault::not_closed(open)),
            _ => Err(other(self.text, self.peek())),
        }
    }

    fn test(&mut self) -> Parsed<Node> {
        let left = self.term()?;
        let token = self.peek().clone();
        match token.kind {
            Kind::Relation(relation) => self.comparison(left, relation),
            Kind::Keyword(Keyword::Is) => self.null_test(left),
            Kind::Keyword(Keyword::Not | Keyword::In | Keyword::Between | Keyword::Like) => {
                self.predicate(left)
            }
            _ => Err(fault::no_comparison(self.text, &left, &token)),
        }
    }

    fn comparison(&mut self, left: Spanned<Term>, relation: Relation) -> Parsed<Node> {
        self.take();
        let right = self.term()?;
        match (left.it, right.it) {
            (Term::Operand(operand), Term::Literal(literal)) => compare(operand, relation, literal),
            (Term::Literal(literal), Term::Operand(operand)) => compare(operand, relation.flipped(), literal),
            (Term::Literal(_), Term::Literal(_)) => {
                Err(fault::only_literals(left.span.start..right.span.end))
            }
            (Term::Operand(_), Term::Operand(_)) => {
                Err(fault::only_columns(self.text, left.span, right.span))
            }
        }
    }

    fn null_test(&mut self, left: Spanned<Term>) -> Parsed<Node> {
        let operand = self.operand_of(left)?;
        let is = self.take().span;
        let not = self.take_keyword(Keyword::Not);
        if !self.take_keyword(Keyword::Null) {
            return Err(fault::is_without_null(is.start..self.peek().span.end));
        }
        let test = Node::Test(operand, Test::IsNull);
        Ok(if not { negated(test) } else { test })
    }

    /// `in`, `between` and `like`, which a `not` may precede.
    fn predicate(&mut self, left: Spanned<Term>) -> Parsed<Node> {
        let operand = self.operand_of(left)?;
        let not = self.take_keyword(Keyword::Not);
        let token = self.take();
        let test = match token.kind {
            Kind::Keyword(Keyword::In) => self.list()?,
            Kind::Keyword(Keyword::Between) => self.range()?,
            Kind::Keyword(Keyword::Like) => self.pattern()?,
            _ => return Err(fault::not_without_predicate(self.text, &token)),
        };
        let test = Node::Test(operand, test);
        Ok(if not { negated(test) } else { test })
    }

    fn list(&mut self) -> Parsed<Test> {
        let open = self.take();
        if open.kind != Kind::Open {
            return Err(fault::no_list(self.text, &open));
        }
        if self.take_if(&Kind::Close) {
            return Err(fault::empty_list(open.span.start..open.span.end + 1));
        }
        let mut literals = vec![self.literal()?.it];
        while self.take_if(&Kind::Comma) {
            literals.push(self.literal()?.it);
        }
        self.close(open.span, fault::no_item_end)?;
        Ok(Test::In(literals))
    }

    fn range(&mut self) -> Parsed<Test> {
        let low = self.literal()?;
        if !self.take_keyword(Keyword::And) {
            return Err(fault::between_without_and(self.text, self.peek()));
        }
        let high = self.literal()?;
        match low.it.ordering_to(&high.it) {
            Some(Ordering::Greater) => Err(fault::reversed(low.span.start..high.span.end)),
            Some(_) => Ok(Test::Between(low.it, high.it)),
            None => Err(fault::mixed_range(low.span.start..high.span.end)),
        }
    }

    fn pattern(&mut self) -> Parsed<Test> {
        let token = self.take();
        let Kind::Text(pattern) = token.kind else {
            return Err(fault::no_pattern(self.text, &token));
        };
        let escape = if self.take_keyword(Keyword::Escape) { Some(self.escape()?) } else { None };
        Pattern::new(&pattern, escape).map(Test::Like).map_err(|_| fault::dangling_escape(token.span))
    }

    fn escape(&mut self) -> Parsed<char> {
        let token = self.take();
        if let Kind::Text(text) = &token.kind {
            let mut characters = text.chars();
            if let (Some(escape), None) = (characters.next(), characters.next()) {
                return Ok(escape);
            }
        }
        Err(fault::no_escape(self.text, &token))
    }
}

fn joined(mut parts: Vec<Node>, join: impl FnOnce(Vec<Node>) -> Node) -> Node {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            join(parts)
        }
    }
}

fn negated(node: Node) -> Node {
    Node::Not(Box::new(node))
}

fn compare(operand: Operand, relation: Relation, literal: Literal) -> Parsed<Node> {
    Ok(Node::Test(operand, Test::Compare(relation, literal)))
}
