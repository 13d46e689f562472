-- Lists of prompts can be sorted by model, agent and provider, each with the id that breaks ties. prompts_model cannot serve
-- that: it has the revision before the id. Without an index a page would sort every prompt of the tenant; with it, a page
-- is one range of at most 201 entries, and one more of the prompts without the field. Two indexes cost a new prompt two
-- entries.
CREATE INDEX "prompts_by_model" ON "prompts" USING btree ("tenant_id","model","id");--> statement-breakpoint
CREATE INDEX "prompts_by_provider" ON "prompts" USING btree ("tenant_id","provider","id");