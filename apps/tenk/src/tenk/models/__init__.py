"""What an analysis is made of: pydantic models, one section for each Item, every claim with its quote.

A section's fields are its components; the docstring of each is the question that a language model
is asked.
"""

from tenk.models.business import BusinessAnalysisSection, KeyProduct, KeyProductList
from tenk.models.financials import FinancialsAnalysisSection, Ratio, RatioList
from tenk.models.mda import MDAAnalysisSection
from tenk.models.risks import (
    RiskCategory,
    RiskCategoryProfile,
    RiskCategoryProfileList,
    RiskFactorAnalysisSection,
)
from tenk.models.shared import Evidence, ItemName, Money, Part, Quantity, Section, StringList
from tenk.models.statement import BalanceSheet, CashFlowStatement, IncomeStatement, Statement

__all__ = [
    "BalanceSheet",
    "BusinessAnalysisSection",
    "CashFlowStatement",
    "Evidence",
    "FinancialsAnalysisSection",
    "IncomeStatement",
    "ItemName",
    "KeyProduct",
    "KeyProductList",
    "MDAAnalysisSection",
    "Money",
    "Part",
    "Quantity",
    "Ratio",
    "RatioList",
    "RiskCategory",
    "RiskCategoryProfile",
    "RiskCategoryProfileList",
    "RiskFactorAnalysisSection",
    "Section",
    "Statement",
    "StringList",
]
