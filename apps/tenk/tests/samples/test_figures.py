"""The figures of the bundled filing's statements agree with each other."""

from decimal import ROUND_HALF_UP, Decimal

import pytest

from apps.tenk.tests.samples.reading import (
    CASH,
    KINDS,
    PLACES,
    SEGMENTS,
    YEARS,
    along,
    fact,
    facts,
    total,
)

BEFORE_TAX = (
    "IncomeLossFromContinuingOperationsBeforeIncomeTaxesExtraordinaryItemsNoncontrollingInterest"
)
COMPONENTS = "StatementEquityComponentsAxis"
TRANSLATION = "OtherComprehensiveIncomeLossForeignCurrencyTransactionAndTranslationAdjustment"


@pytest.mark.parametrize("year", YEARS)
def test_the_income_statement_adds_up(year):
    assert fact("GrossProfit", year) == total(year, "Revenues", "-CostOfRevenue")
    expenses = (
        "ResearchAndDevelopmentExpense",
        "SellingGeneralAndAdministrativeExpense",
        "RestructuringCharges",
    )
    assert fact("OperatingExpenses", year) == total(
        year, *expenses, "AmortizationOfIntangibleAssets"
    )
    assert fact("OperatingIncomeLoss", year) == total(year, "GrossProfit", "-OperatingExpenses")
    assert fact("CostOfRevenue", year) == sum(along("CostOfRevenue", year, KINDS).values())
    before_tax = total(
        year, "OperatingIncomeLoss", "-InterestExpense", "OtherNonoperatingIncomeExpense"
    )
    assert fact(BEFORE_TAX, year) == before_tax
    assert fact("NetIncomeLoss", year) == before_tax - fact("IncomeTaxExpenseBenefit", year)
    comprehensive = total(year, "NetIncomeLoss", "OtherComprehensiveIncomeLossNetOfTax")
    assert fact("ComprehensiveIncomeNetOfTax", year) == comprehensive
    hedges = fact(
        "OtherComprehensiveIncomeLossCashFlowHedgeGainLossAfterReclassificationAndTax", year
    )
    assert (
        fact("OtherComprehensiveIncomeLossNetOfTax", year)
        == fact(f"{TRANSLATION}NetOfTax", year) + hedges
    )


@pytest.mark.parametrize("year", YEARS)
def test_income_per_share_is_net_income_by_shares(year):
    for kind, shares in (
        ("Basic", "WeightedAverageNumberOfSharesOutstandingBasic"),
        ("Diluted", "WeightedAverageNumberOfDilutedSharesOutstanding"),
    ):
        exact = fact("NetIncomeLoss", year) / fact(shares, year)
        assert fact(f"EarningsPerShare{kind}", year) == exact.quantize(
            Decimal("0.01"), ROUND_HALF_UP
        )


@pytest.mark.parametrize("year", YEARS)
def test_revenue_is_that_of_its_segments_places_and_kinds(year):
    for axis, members in ((SEGMENTS, 3), (PLACES, 4), (KINDS, 2)):
        parts = along("Revenues", year, axis)
        assert len(parts) == members
        assert sum(parts.values()) == fact("Revenues", year)
    segments = sum(along("OperatingIncomeLoss", year, SEGMENTS).values())
    corporate = along("OperatingIncomeLoss", year, "ConsolidationItemsAxis")[
        "CorporateNonSegmentMember"
    ]
    assert segments + corporate - fact("RestructuringCharges", year) == fact(
        "OperatingIncomeLoss", year
    )


@pytest.mark.parametrize("year", YEARS[:2])
def test_the_balance_sheet_balances_and_its_lines_add_up(year):
    assert fact("Assets", year) == total(year, "Liabilities", "StockholdersEquity")
    assert fact("Assets", year) == fact("LiabilitiesAndStockholdersEquity", year)
    current = (
        "CashAndCashEquivalentsAtCarryingValue",
        "AccountsReceivableNetCurrent",
        "InventoryNet",
    )
    assert fact("AssetsCurrent", year) == total(
        year, *current, "PrepaidExpenseAndOtherAssetsCurrent"
    )
    lasting = (
        "PropertyPlantAndEquipmentNet",
        "OperatingLeaseRightOfUseAsset",
        "Goodwill",
        "OtherAssetsNoncurrent",
    )
    intangible = ("FiniteLivedIntangibleAssetsNet", "CapitalizedComputerSoftwareNet")
    assert fact("Assets", year) == total(year, "AssetsCurrent", *lasting, *intangible)
    owed = (
        "AccountsPayableCurrent",
        "AccruedLiabilitiesCurrent",
        "LongTermDebtCurrent",
        "OperatingLeaseLiabilityCurrent",
    )
    assert fact("LiabilitiesCurrent", year) == total(
        year, *owed, "ContractWithCustomerLiabilityCurrent"
    )
    later = (
        "LongTermDebtNoncurrent",
        "OperatingLeaseLiabilityNoncurrent",
        "OtherLiabilitiesNoncurrent",
    )
    others = ("ContractWithCustomerLiabilityNoncurrent", "DeferredIncomeTaxLiabilitiesNet")
    assert fact("Liabilities", year) == total(year, "LiabilitiesCurrent", *later, *others)
    equity = ("CommonStockValue", "AdditionalPaidInCapital", "RetainedEarningsAccumulatedDeficit")
    assert fact("StockholdersEquity", year) == total(
        year, *equity, "AccumulatedOtherComprehensiveIncomeLossNetOfTax"
    )


@pytest.mark.parametrize("year", YEARS)
def test_the_cash_flow_statement_reconciles_to_cash(year):
    charges = (
        "DepreciationDepletionAndAmortization",
        "ShareBasedCompensation",
        "AssetImpairmentCharges",
    )
    more = ("DeferredIncomeTaxExpenseBenefit", "InventoryWriteDown")
    assets = ("AccountsReceivable", "Inventories", "PrepaidDeferredExpenseAndOtherAssets")
    liabilities = (
        "AccountsPayable",
        "AccruedLiabilities",
        "ContractWithCustomerLiability",
        "OtherOperatingLiabilities",
    )
    changes = [f"-IncreaseDecreaseIn{name}" for name in assets] + [
        f"IncreaseDecreaseIn{name}" for name in liabilities
    ]
    operating, investing, financing = (
        f"NetCashProvidedByUsedIn{kind}Activities"
        for kind in ("Operating", "Investing", "Financing")
    )
    assert fact(operating, year) == total(year, "NetIncomeLoss", *charges, *more, *changes)
    spent = ("PropertyPlantAndEquipment", "BusinessesNetOfCashAcquired")
    invested = total(
        year, *(f"-PaymentsToAcquire{name}" for name in spent), "-PaymentsToDevelopSoftware"
    )
    assert fact(investing, year) == invested
    received = total(
        year,
        "ProceedsFromIssuanceOfLongTermDebt",
        "ProceedsFromStockPlans",
        "-RepaymentsOfLongTermDebt",
    )
    returned = total(year, "PaymentsForRepurchaseOfCommonStock", "PaymentsOfDividendsCommonStock")
    withheld = fact("PaymentsRelatedToTaxWithholdingForShareBasedCompensation", year)
    assert fact(financing, year) == received - returned - withheld
    change = total(year, operating, investing, financing, f"EffectOfExchangeRateOn{CASH}")
    assert fact(f"{CASH}PeriodIncreaseDecreaseIncludingExchangeRateEffect", year) == change
    assert fact(CASH, str(int(year) - 1)) + change == fact(CASH, year)


@pytest.mark.parametrize("year", YEARS[:2])
def test_cash_is_the_same_in_both_statements(year):
    assert fact(CASH, year) == fact("CashAndCashEquivalentsAtCarryingValue", year)


@pytest.mark.parametrize("year", YEARS)
def test_equity_moves_by_what_its_statement_says(year):
    gained = total(
        year, "NetIncomeLoss", "OtherComprehensiveIncomeLossNetOfTax", "ShareBasedCompensation"
    )
    issued = fact("StockIssuedDuringPeriodValueEmployeeStockPurchasePlan", year)
    given = total(year, "StockRepurchasedAndRetiredDuringPeriodValue", "DividendsCommonStockCash")
    withheld = fact("AdjustmentsRelatedToTaxWithholdingForShareBasedCompensation", year)
    before = fact("StockholdersEquity", str(int(year) - 1))
    assert before + gained + issued - given - withheld == fact("StockholdersEquity", year)
    assert sum(along("StockholdersEquity", str(int(year) - 1), COMPONENTS).values()) == before
    assert sum(along("StockholdersEquity", year, COMPONENTS).values()) == fact(
        "StockholdersEquity", year
    )


@pytest.mark.parametrize("year", YEARS)
def test_what_moves_a_part_of_equity_moves_the_whole(year):
    moved = {
        f.concept
        for f in facts()
        if f.ended == f"{year}-12-31" and COMPONENTS in dict(f.dimensions)
    }
    assert len(moved) == 8
    for concept in moved:
        assert sum(along(concept, year, COMPONENTS).values()) == fact(concept, year), concept


@pytest.mark.parametrize("year", YEARS[:2])
def test_the_tables_of_the_notes_add_up(year):
    stages = ("RawMaterials", "WorkInProcess", "FinishedGoods")
    assert fact("InventoryNet", year) == total(
        year, *(f"Inventory{stage}NetOfReserves" for stage in stages)
    )
    built = (
        "LandAndBuildingsAndImprovementsGross",
        "MachineryAndEquipmentGross",
        "ConstructionInProgressGross",
    )
    worn = "-AccumulatedDepreciationDepletionAndAmortizationPropertyPlantAndEquipment"
    other = "PropertyPlantAndEquipmentOther"
    assert fact("PropertyPlantAndEquipmentNet", year) == total(year, *built, other, worn)
    assert fact("Goodwill", year) == sum(along("Goodwill", year, SEGMENTS).values())
    accrued = "StandardProductWarrantyAccrual"
    moved = total(
        year,
        f"{accrued}WarrantiesIssued",
        f"{accrued}AdditionsFromBusinessAcquisition",
        f"-{accrued}Payments",
    )
    assert fact(accrued, year) == fact(accrued, str(int(year) - 1)) + moved


@pytest.mark.parametrize("year", YEARS)
def test_the_tax_is_explained_in_both_ways(year):
    tax = fact("IncomeTaxExpenseBenefit", year)
    assert tax == total(year, "CurrentIncomeTaxExpenseBenefit", "DeferredIncomeTaxExpenseBenefit")
    reasons = ("StateAndLocalIncomeTaxes", "ForeignIncomeTaxRateDifferential", "OtherAdjustments")
    stock = "NondeductibleExpenseShareBasedCompensationCost"
    explained = total(year, *(f"IncomeTaxReconciliation{reason}" for reason in (*reasons, stock)))
    statutory = fact(
        "IncomeTaxReconciliationIncomeTaxExpenseBenefitAtFederalStatutoryIncomeTaxRate", year
    )
    assert statutory == fact(BEFORE_TAX, year) * 21 / 100
    assert tax == statutory + explained - fact("IncomeTaxReconciliationTaxCreditsResearch", year)
